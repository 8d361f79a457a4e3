package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/tests/mesh"
)

// TestUnwritable takes the log's file system away under the running sidecar and
// gives it back.
func TestUnwritable(t *testing.T) {
	for name, c := range map[string]struct {
		// worsen changes what is wrong with a volume that is full already.
		worsen func(*volume)
		reason string
		mend   func(*volume)
	}{
		"full": {func(*volume) {}, "no space left on device", (*volume).empty},
		// The kernel makes no file system read-only by request while a file is open
		// for writing there; it does so after an error. So a write fails first, and
		// when the volume turns read-only it has room again.
		"read-only": {
			func(v *volume) { v.remount("ro,size=64m") }, "read-only file system",
			func(v *volume) { v.remount("rw") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, v := siteOnVolume(t)
			c1 := newClient()
			c1.finish(s)
			awaitBroken(s, v, c1)
			c.worsen(v)
			awaitReady(s, http.StatusServiceUnavailable, c.reason)
			before := settled(s)
			refused(s, c.reason)
			if after := settled(s); after != before {
				t.Errorf("%d settlements, %d after requests that were refused", before, after)
			}
			c.mend(v)
			awaitReady(s, http.StatusOK, "ok")
			c1.finish(s)
			s.stop()
			checkUnwritable(t, s, c1, v.copyLog(s.log))
		})
	}
}

// siteOnVolume is a site whose log is on a volume.
func siteOnVolume(t *testing.T) (*site, *volume) {
	t.Helper()
	s := prepareSite(t, siteOptions{})
	dir := filepath.Join(s.dir, "volume")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	v := newVolume(t, dir)
	s.log = filepath.Join(dir, "log")
	if out, err := v.run(s.verbatim, "init", "--log", s.log); err != nil {
		t.Fatalf("init: %v: %s", err, out)
	}
	s.sidecar = mesh.StartTestSidecar(t, mesh.SidecarOptions{
		Log: s.log, Socket: s.socket(), Pipeline: s.options.upstream, Args: []string{"--log-level", "debug"}, Wrap: v.enter,
	})
	s.startEnvoy()
	return s, v
}

// awaitBroken fills the volume under load. RocksDB gives room back when it is
// opened again, and then the log is writable: it is not any more once it could not
// be opened three times with nothing left to take.
func awaitBroken(s *site, v *volume, c *client) {
	s.t.Helper()
	since := 0
	poll(s.t, "the log to stay unwritable", func() (bool, error) {
		pages := v.fill()
		r, err := mesh.Load(s.t.Context(), mesh.LoadOptions{
			Addr: s.envoy.Addr, Connections: clientConnections, Events: 200, Meters: clientMeters, Answer: c.note,
		})
		if err != nil || r.Failed[0] > 0 {
			return false, fmt.Errorf("load: %w, %v: %w", err, r.Failed, r.FirstError)
		}
		printed, err := os.ReadFile(s.sidecar.LogPath)
		attempts := strings.Count(string(printed), "log is still not writable")
		if pages > 0 || r.Done > 0 {
			since = attempts
		}
		return attempts >= since+3, err
	})
}

// refused sends events, all of which must be refused for the reason.
func refused(s *site, reason string) {
	s.t.Helper()
	const events = 200
	r, err := mesh.Load(s.t.Context(), mesh.LoadOptions{
		Addr: s.envoy.Addr, Connections: clientConnections, Events: events, Meters: clientMeters,
		Answer: func(_, status int, body []byte) {
			if !strings.Contains(string(body), "could not be recorded") || !strings.Contains(string(body), reason) {
				s.t.Errorf("refused with %d: %s, want the reason %q", status, body, reason)
			}
		},
	})
	if err != nil || r.Failed[http.StatusServiceUnavailable] != events {
		s.t.Errorf("load: %v, %d answered, failed %v: %v", err, r.Done, r.Failed, r.FirstError)
	}
}

// awaitReady waits until the admin port's readyz says so.
func awaitReady(s *site, status int, text string) {
	s.t.Helper()
	var said string
	defer func() {
		if s.t.Failed() {
			s.t.Log("readyz says", said)
		}
	}()
	poll(s.t, "readyz to say "+text, func() (bool, error) {
		got, body := getPage(s.t, "http://"+s.sidecar.Admin+"/readyz")
		said = body
		return got == status && strings.Contains(body, text), nil
	})
}

// settled is the number of settlements that the pipeline has made, asked past Envoy.
func settled(s *site) (lines uint64) {
	s.t.Helper()
	for n := range clientMeters {
		status, body := getPage(s.t, "http://"+s.pipeline.Addr+"/v1/meters/"+mesh.MeterID(n))
		var last struct{ Line uint64 }
		if err := json.Unmarshal([]byte(body), &last); err != nil || status != http.StatusOK {
			s.t.Fatalf("meter %d: %d, %v: %s", n, status, err, body)
		}
		lines += last.Line
	}
	return lines
}

func getPage(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(read)
}

// checkUnwritable requires the log to agree with the client and with the
// pipeline, which got what was answered and what is closed with MAYBE, and no more.
func checkUnwritable(t *testing.T, s *site, c *client, log string) {
	t.Helper()
	c.check(t, log)
	r := s.verify(0, log)
	if r.Open != 0 {
		t.Errorf("%d requests are open", r.Open)
	}
	var delivered, not uint64
	for _, x := range recordedExchanges(t, log) {
		if x.abort.GetDelivered() == logv1.Delivered_DELIVERED_NO {
			not++
		} else {
			delivered++
		}
	}
	if n := settled(s); n != delivered {
		t.Errorf("%d settlements, and %d requests were let through as recorded", n, delivered)
	}
	t.Logf("%d requests, %d answered, %d aborted, %d of them never let through", r.Requests, r.Responses, r.Aborts, not)
	if v := s.replayInto(0, log, ""); v.Result != "VERIFIED" {
		t.Errorf("verdict %+v", v)
	}
}

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
			load := newClient()
			load.finish(s)
			awaitBroken(s, v, load)
			c.worsen(v)
			awaitReady(s, http.StatusServiceUnavailable, c.reason)
			before := settled(s)
			refused(s)
			if after := settled(s); after != before {
				t.Errorf("%d settlements, %d after requests that were refused", before, after)
			}
			c.mend(v)
			awaitReady(s, http.StatusOK, "ok")
			load.finish(s)
			s.stop()
			checkDelivered(t, s, load, v.copyLog(s.log))
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
		answered := loadSome(s, c).Done
		printed, err := os.ReadFile(s.sidecar.LogPath)
		attempts := strings.Count(string(printed), "log is still not writable")
		if pages > 0 || answered > 0 {
			since = attempts
		}
		return attempts >= since+3, err
	})
}

// refused sends events, all of which must be refused, each with a sentence. What
// exactly is wrong is the operator's business: readyz says it.
func refused(s *site) {
	s.t.Helper()
	const want = "verbatim: the request could not be recorded: log is not writable"
	other := map[string]int{}
	r, err := mesh.Load(s.t.Context(), mesh.LoadOptions{
		Addr: s.envoy.Addr, Connections: clientConnections, Events: 200, Meters: clientMeters,
		Answer: func(_, status int, body []byte) {
			if status != http.StatusServiceUnavailable || !strings.HasPrefix(string(body), want) {
				other[fmt.Sprintf("%d %s", status, body)]++
			}
		},
	})
	if err != nil || r.Failed[0] > 0 || len(other) > 0 {
		s.t.Errorf("load: %v, failed %v: %v; answers other than %q: %v", err, r.Failed, r.FirstError, want, other)
	}
}

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"verbatim/tests/mesh"
)

// TestObserveWithoutRoom: bodies that find no room in memory pass, and are told as lost.
func TestObserveWithoutRoom(t *testing.T) {
	const uploads, octets, most = 8, 60_000, 1 << 16
	o := siteOptions{
		upstream: startWireServer(t, echoWire).addr,
		serve:    []string{"--max-event-bytes", fmt.Sprint(most), "--max-bytes-in-flight", fmt.Sprint(most)},
	}
	o.capture.MaxEventBytes = most
	s := newSite(t, observing.options(o, "none"))
	head := fmt.Sprintf("POST /u HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n", octets+1)
	var conns []net.Conn
	for range uploads {
		conns = append(conns, openWire(t, s.envoy.Addr, []byte(head+strings.Repeat("x", octets))))
	}
	var lost uint64
	poll(t, "a gap to be told", func() (bool, error) {
		lost = toldBy(s, "sidecar")
		return lost > 0, nil
	})
	for _, c := range conns {
		if _, err := io.WriteString(c, "y"); err != nil {
			t.Fatal(err)
		}
		if status, _ := answerOf(t, c, http.MethodPost); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	poll(t, "all to be recorded, or told as lost", func() (bool, error) {
		lost = toldBy(s, "sidecar")
		return s.verify(0, s.log).Responses+lost >= uploads, nil
	})
	s.stop()
	if r := s.verify(0, s.log); r.Responses+lost != uploads || r.Open != 0 {
		t.Errorf("of %d uploads %d are recorded and %d told as lost; %d are open", uploads, r.Responses, lost, r.Open)
	}
	for _, gap := range gapsOf(t, s.log) {
		if !strings.HasSuffix(gap, " what is held in memory reached its bound: observe") {
			t.Errorf("gap %s", gap)
		}
	}
}

// TestObserveAcrossRestarts: what an Envoy sent that was there before is no loss of the
// one that came after it, and what that one showed is none of a sidecar that came later.
func TestObserveAcrossRestarts(t *testing.T) {
	admin := newForwarder(t) // its port stays
	s := newSite(t, observing.options(siteOptions{serve: []string{"--envoy.admin", admin.url()}}, "none"))
	admin.start(t, strings.TrimPrefix(s.envoy.AdminURL, "http://"))
	load := mesh.LoadOptions{Events: 20, Connections: 1, Meters: 5}
	s.load(load)
	s.awaitResponses(20)
	s.awaitLook()
	ended := time.Now()
	// Envoy tells its age in seconds.
	poll(t, "the second to be over", func() (bool, error) { return time.Since(ended) > 3*time.Second, nil })
	s.envoy.Kill()
	s.startEnvoy()
	admin.lead(strings.TrimPrefix(s.envoy.AdminURL, "http://"))
	s.awaitLook()
	s.load(load)
	s.awaitResponses(40)
	s.sidecar.Kill()
	load.Events = 5
	s.load(load)
	s.startSidecar()
	poll(t, "the log to tell what was missed", func() (bool, error) { return toldBy(s, "envoy") >= 5, nil })
	s.stop()
	if n := toldBy(s, "envoy"); n != 5 {
		t.Errorf("%d exchanges told, want 5", n)
	}
	if r := s.verify(0, s.log); r.Responses != 40 || r.Open != 0 {
		t.Errorf("%d responses and %d open requests, want 40 and none", r.Responses, r.Open)
	}
}

package e2e

import (
	"flag"
	"fmt"
	"net/http"
	"testing"
)

var fire = flag.Bool("fire", false, "run the tests under fire in full: 1,000 connections that send 15 MiB each, five minutes of faults")

// TestMemoryIsBounded sends more than there is room for, from many connections at
// one time. What doesn't fit is refused, what fits is answered, and neither Envoy
// nor the sidecar grows beyond its bound.
func TestMemoryIsBounded(t *testing.T) {
	const mib = 1 << 20
	connections, body, room := 200, 2*mib, 32*mib
	if *fire {
		connections, body, room = 1000, 15*mib, 256*mib
	}
	for name, chunked := range map[string]bool{"sized": false, "chunked": true} {
		t.Run(name, func(t *testing.T) {
			o := siteOptions{upstream: sink(t), serve: []string{fmt.Sprintf("--max-bytes-in-flight=%d", room), "--ordering=none"}}
			o.capture.MaxBytesInFlight = uint64(room)
			s := newSite(t, o)
			refused := connections - room/body // by their heads
			if chunked {
				refused = connections - room/mib
			}
			answers := flood{connections: connections, body: body, pieces: 16, chunked: chunked, refused: refused}.run(s)
			envoy, sidecar := s.peakMemory()
			t.Logf("%d connections of %d MiB: %v; peaks: Envoy %d MiB, sidecar %d MiB", connections, body>>20, answers, envoy>>20, sidecar>>20)
			inFlight := uint64(room) //nolint:gosec // a constant
			if most := 192*mib + 2*inFlight; envoy > most {
				t.Errorf("Envoy had %d MiB, the bound is %d MiB", envoy>>20, most>>20)
			}
			if most := 192*mib + 5*inFlight; sidecar > most {
				t.Errorf("the sidecar had %d MiB, the bound is %d MiB", sidecar>>20, most>>20)
			}
			answered := answers["200"]
			if answered == 0 || answered+answers["503 no-room"] != connections {
				t.Errorf("answers %v, want 200 for some, and 503 no-room for all others", answers)
			}
			s.stop()
			if r := s.verify(0, s.log); r.Responses != uint64(answered) || r.Requests != r.Responses { //nolint:gosec // a number of connections
				t.Errorf("%d were answered; the log has %d requests, %d responses", answered, r.Requests, r.Responses)
			}
		})
	}
}

// TestMemoryOfStreamsIsBounded does the same with streams, which take no room. The
// sidecar reads them no further than its disk is behind: of each there can be 64 KiB in
// gRPC's window, as much that waits for the disk, and the entries made of it, and until it
// collects, Go's heap can be twice that. When Envoy's heap is at its bound it closes
// connections, and takes no new requests. Until it sees that more comes, and most where it
// has to wait for a core: up to 480 MiB were seen, and 560 at the least without the bound.
func TestMemoryOfStreamsIsBounded(t *testing.T) {
	const mib, room = 1 << 20, 32 << 20
	connections, body := 200, 2*mib
	if *fire {
		connections, body = 1000, 15*mib
	}
	o := siteOptions{upstream: sink(t), serve: []string{fmt.Sprintf("--max-bytes-in-flight=%d", room), "--ordering=none", "--capture.stream=true"}}
	o.capture.MaxBytesInFlight = room
	s := newSite(t, o)
	answers := flood{connections: connections, body: body, pieces: 16, chunked: true}.run(s)
	envoy, sidecar := s.peakMemory()
	t.Logf("%d streams of %d MiB: %v; peaks: Envoy %d MiB, sidecar %d MiB", connections, body>>20, answers, envoy>>20, sidecar>>20)
	if most := uint64(416*mib + 3*room); envoy > most {
		t.Errorf("Envoy had %d MiB, the bound is %d MiB", envoy>>20, most>>20)
	}
	if most := uint64(704*mib + 384<<10*connections); sidecar > most { //nolint:gosec // a number of connections
		t.Errorf("the sidecar had %d MiB, the bound is %d MiB", sidecar>>20, most>>20)
	}
	answered := uint64(answers["200"]) //nolint:gosec // a number of connections
	if ended := answers["200"] + answers["503"] + answers[""]; ended != connections {
		t.Errorf("answers %v, want 200, closed or 503", answers)
	}
	poll(t, "a request to pass again", func() (bool, error) {
		resp, err := http.Get("http://" + s.envoy.Addr)
		if err != nil {
			return false, nil //nolint:nilerr // the connection was closed
		}
		return resp.StatusCode == http.StatusOK, resp.Body.Close()
	})
	http.DefaultClient.CloseIdleConnections()
	s.stop()
	if r := s.verify(0, s.log); r.Responses < answered || r.Requests != r.Responses+r.Aborts || r.Open != 0 {
		t.Errorf("%d were answered; the log has %+v", answered, r)
	}
}

// peakMemory is the most that each of both had so far, in octets.
func (s *site) peakMemory() (envoy, sidecar uint64) {
	s.t.Helper()
	envoy, err := s.envoy.PeakMemory()
	if err != nil {
		s.t.Fatal(err)
	}
	sidecar, err = s.sidecar.PeakMemory()
	if err != nil {
		s.t.Fatal(err)
	}
	return envoy, sidecar
}

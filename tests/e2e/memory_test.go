package e2e

import (
	"flag"
	"fmt"
	"testing"
)

var fire = flag.Bool("fire", false, "run the tests under fire in full: 1,000 connections that send 15 MiB each, five minutes of faults")

// TestMemoryIsBounded sends more than there is room for, from many connections at
// one time. What doesn't fit is refused, what fits is answered, and neither Envoy
// nor the sidecar grows beyond its bound. Of a stream Envoy holds what its own limits
// let it: only the sidecar is bounded there.
func TestMemoryIsBounded(t *testing.T) {
	const mib = 1 << 20
	connections, body, room := 200, 2*mib, 32*mib
	if *fire {
		connections, body, room = 1000, 15*mib, 256*mib
	}
	for name, c := range map[string]struct {
		chunked bool
		stream  string
		refused int // by their heads, at least
	}{
		"sized":   {refused: connections - room/body},
		"chunked": {chunked: true, refused: connections - room/mib},
		"streams": {chunked: true, stream: "true"},
	} {
		t.Run(name, func(t *testing.T) {
			o := siteOptions{upstream: sink(t), serve: []string{fmt.Sprintf("--max-bytes-in-flight=%d", room), "--ordering=none", "--capture.stream=" + c.stream}}
			o.capture.MaxBytesInFlight = uint64(room)
			s := newSite(t, o)
			f := flood{connections: connections, body: body, pieces: 16, chunked: c.chunked, refused: c.refused}
			answers := f.run(s)
			envoy, err := s.envoy.PeakMemory()
			if err != nil {
				t.Fatal(err)
			}
			sidecar, err := s.sidecar.PeakMemory()
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d connections of %d MiB: %v; peaks: Envoy %d MiB, sidecar %d MiB", connections, body>>20, answers, envoy>>20, sidecar>>20)
			inFlight := uint64(room) //nolint:gosec // a constant
			base := uint64(192 * mib)
			if c.stream != "" {
				base = 512 * mib // what is written comes to the tables of the log that are in memory
			} else if most := 192*mib + 2*inFlight; envoy > most {
				t.Errorf("Envoy had %d MiB, the bound is %d MiB", envoy>>20, most>>20)
			}
			if most := base + 5*inFlight; sidecar > most {
				t.Errorf("the sidecar had %d MiB, the bound is %d MiB", sidecar>>20, most>>20)
			}
			answered := answers["200"]
			if answered == 0 || answered+answers["503 no-room"] != connections || c.stream != "" && answered != connections {
				t.Errorf("answers %v, want 200 for some, for all streams, and 503 no-room for all others", answers)
			}
			s.stop()
			if r := s.verify(0, s.log); r.Responses != uint64(answered) || r.Requests != r.Responses { //nolint:gosec // a number of connections
				t.Errorf("%d were answered; the log has %d requests, %d responses", answered, r.Requests, r.Responses)
			}
		})
	}
}

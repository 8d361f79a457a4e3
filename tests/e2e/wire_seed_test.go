package e2e

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"verbatim/filter"
)

// ownSeeds are header lines by which a client tries to choose the clock and the
// seed, to have them twice, or to have Envoy drop them.
var ownSeeds = []string{
	"x-verbatim-seed: 1",
	"x-verbatim-clock-ms: 1\r\nx-verbatim-seed: 2",
	"x-verbatim-seed: 1\r\nx-a: 1\r\nx-verbatim-seed: 2\r\nx-verbatim-clock-ms: 3\r\nx-verbatim-clock-ms: 4",
	"X-Verbatim-Seed: 1\r\nX-VERBATIM-CLOCK-MS: 2",
	"x-verbatim-seed:\r\nx-verbatim-clock-ms:",
	"connection: x-verbatim-seed, x-verbatim-clock-ms",
	"connection: x-verbatim-seed\r\nx-verbatim-seed: 1\r\nx-verbatim-clock-ms: 2",
	"content-length: 2\r\nx-verbatim-seed: 1\r\nx-verbatim-seed: 2",
}

// TestWireOwnSeed: the pipeline gets the recorded clock and seed, once each and
// last, and never a client's own.
func TestWireOwnSeed(t *testing.T) { inPlaces(t, behindRouter, ownSeed) }

func ownSeed(t *testing.T, p wirePlace) {
	for _, protocol := range []filter.Protocol{filter.H1, filter.H2} {
		t.Run(protocol.String(), func(t *testing.T) {
			pipeline := startWirePipeline(t, p, protocol)
			s := newSite(t, p.options(siteOptions{upstream: pipeline.addr, protocol: protocol}, "meter"))
			for _, lines := range ownSeeds {
				raw := "POST /s HTTP/1.1\r\nhost: h\r\n"
				if body := strings.Contains(lines, "content-length"); body {
					raw += lines + "\r\n\r\nhi"
				} else {
					raw += "content-length: 0\r\n" + lines + "\r\n\r\n"
				}
				if status, body := askWire(t, s.envoy.Addr, []byte(raw)); status != http.StatusOK {
					t.Errorf("%q: status %d, %q", lines, status, body)
				}
			}
			p.stop(s, len(ownSeeds))
			checkSeeds(t, p, pipeline.lists(), p.exchanges(s))
		})
	}
}

// seedForm is what a drawn seed looks like, and what Envoy's does.
var (
	seedForm = regexp.MustCompile(`^[0-9]{8,20}$`)
	uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
)

func checkSeeds(t *testing.T, p wirePlace, got [][]string, recorded []*recordedExchange) {
	t.Helper()
	if len(got) != len(ownSeeds) || len(recorded) != len(ownSeeds) {
		t.Fatalf("the pipeline got %d requests, the log has %d, want %d of each", len(got), len(recorded), len(ownSeeds))
	}
	seen, form := map[string]bool{}, uuidForm
	if p.draws {
		form = seedForm
	}
	for i, list := range got {
		if in := linesOf(recorded[i].request.GetHeaders()); !slices.Equal(list, in) {
			t.Errorf("%q: the pipeline got\n%q, recorded\n%q", ownSeeds[i], list, in)
		}
		var own []string
		for _, l := range list {
			if strings.HasPrefix(l, "x-verbatim-") {
				own = append(own, l)
			}
		}
		n := len(list)
		if !slices.Equal(own, list[n-2:]) || !strings.HasPrefix(own[0], clockHeader+": 1") || len(own[0]) != len(clockHeader)+len(": ")+13 {
			t.Errorf("%q: the pipeline got %q; want the clock and the seed last and nowhere else", ownSeeds[i], list)
		}
		if seed, _ := strings.CutPrefix(list[n-1], seedHeader+": "); seen[list[n-1]] || !form.MatchString(seed) {
			t.Errorf("%q: %s is not one that was drawn", ownSeeds[i], list[n-1])
		}
		seen[list[n-1]] = true
	}
}

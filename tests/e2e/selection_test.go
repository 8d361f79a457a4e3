package e2e

import (
	"fmt"
	"strings"
	"testing"

	"verbatim/tests/mesh"
)

const (
	selectionEvents = 60
	selectionMeters = 6
)

// TestReplaySelections replays parts of a log into fresh pipelines. The state is
// by meter: a meter alone, or a window from the beginning on, gives the same
// answers; a window without what came before does not, and that is said.
func TestReplaySelections(t *testing.T) {
	s, _ := record(t, siteOptions{}, mesh.LoadOptions{Connections: 4, Events: selectionEvents, Meters: selectionMeters})
	list := recordedExchanges(t, s.log)
	first, tenth, last := list[0], list[9], list[len(list)-1]
	args := func(from, to uint64) []string { return []string{"--from", fmt.Sprint(from), "--to", fmt.Sprint(to)} }
	for _, c := range []struct {
		name     string
		args     []string
		compared int
	}{
		{"one meter", []string{"--meter", mesh.MeterID(3)}, selectionEvents / selectionMeters},
		{"two meters", []string{"--meter", mesh.MeterID(0), "--meter", mesh.MeterID(5)}, 2 * selectionEvents / selectionMeters},
		{"the first request alone", args(first.request.Offset, first.request.Offset), 1},
		{"up to a request, whose answer comes later", args(0, tenth.request.Offset), 10},
		{"up to just before it", args(0, tenth.request.Offset-1), 9},
		{"up to the newest entry", args(first.request.Offset, last.response.Offset), selectionEvents},
		{"from a request on, warmed", []string{"--from", fmt.Sprint(tenth.request.Offset), "--warm-from", "0"}, selectionEvents - 9},
		{"a meter up to a request", append(args(0, tenth.request.Offset), "--meter", meterOf(tenth)), countOf(list[:10], meterOf(tenth))},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := s.replayInto(0, s.log, "", c.args...)
			if v.Result != "VERIFIED" || v.Compared != uint64(c.compared) || v.OriginalRoot != v.ReplayRoot || v.FootersEqual != v.FootersChecked {
				t.Errorf("verdict %+v, want %d compared", v, c.compared)
			}
		})
	}
	t.Run("without what came before", func(t *testing.T) { withoutBeginning(t, s, list) })
	t.Run("nothing but answers", func(t *testing.T) {
		v := s.replayInto(2, s.log, "", args(last.request.Offset+1, last.response.Offset)...)
		if v.Result != "CANNOT_TELL" || v.Compared != 0 || v.Divergence != nil {
			t.Errorf("verdict %+v", v)
		}
	})
}

func meterOf(x *recorded) string { return x.sent.GetMeterIds()[0] }

// countOf counts the requests of a meter.
func countOf(list []*recorded, meter string) (n int) {
	for _, x := range list {
		if meterOf(x) == meter {
			n++
		}
	}
	return n
}

// withoutBeginning begins at the second request of a meter: its line is the
// meter's first one for the fresh pipeline.
func withoutBeginning(t *testing.T, s *site, list []*recorded) {
	seen := map[string]bool{}
	for _, x := range list {
		if !seen[meterOf(x)] {
			seen[meterOf(x)] = true
			continue
		}
		v := s.replayInto(2, s.log, "", "--from", fmt.Sprint(x.request.Offset))
		if d := v.Divergence; d == nil || d.FirstBadOffset != x.response.Offset || !strings.Contains(strings.Join(d.Diff, "\n"), "+ body /line: 1") {
			t.Errorf("verdict %+v, want a divergence at %d", v, x.response.Offset)
		}
		return
	}
	t.Fatal("no meter has a second request")
}

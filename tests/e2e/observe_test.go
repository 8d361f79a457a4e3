package e2e

import (
	"bytes"
	"slices"
	"syscall"
	"testing"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

func observedSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t, siteOptions{
		serve:   []string{"--profile", "observe", "--ordering", "none"},
		capture: filter.Capture{Profile: filter.Observe},
	})
	s.stopSidecar()
	s.options.serve = append(s.options.serve, "--envoy.admin", s.envoy.AdminURL)
	s.startSidecar()
	return s
}

// TestObserve: what is in the log before the next is sent replays equal, with the clock
// and the seed that Envoy set.
func TestObserve(t *testing.T) {
	s := observedSite(t)
	const events = 10
	for i := range events {
		s.load(mesh.LoadOptions{Events: 1, Connections: 1, Body: func(int) []byte { return mesh.Reading(i, 2) }})
		s.awaitResponses(uint64(i + 1))
	}
	s.stop()
	if v := s.replayInto(0, s.log, ""); v.Result != "VERIFIED" || v.Compared != events {
		t.Errorf("replay: %+v, want VERIFIED with %d compared", v, events)
	}
}

// TestAnObservedBurst: requests that are not waited for are lined up as Envoy got them,
// those that it shows within 50 ms of each other. Nobody knows how busy the machine is
// and what is shown later: then the order is another, and a replay need not agree. But
// not each time, as it would be if they stood as they come.
func TestAnObservedBurst(t *testing.T) {
	const bursts, events, meters = 5, 100, 5
	for range bursts {
		s := observedSite(t)
		s.load(mesh.LoadOptions{Events: events, Connections: 1, Meters: meters})
		s.awaitResponses(events)
		s.stop()
		list := readExchanges(t, s.log)
		if len(list) != events {
			t.Fatalf("%d requests of %d are recorded", len(list), events)
		}
		if slices.ContainsFunc(list, func(x *recordedExchange) bool {
			return !bytes.Equal(x.request.GetBody(), mesh.Reading(slices.Index(list, x), meters))
		}) {
			continue
		}
		if v := s.replayInto(0, s.log, ""); v.Result != "VERIFIED" || v.Compared != events {
			t.Errorf("replay: %+v, want VERIFIED with %d compared", v, events)
		}
		return
	}
	t.Errorf("none of %d bursts is recorded in the order in which it was sent", bursts)
}

// TestObserveDoesNotWait: a sidecar that stands still or is dead holds up nobody,
// and the log tells of what it missed once it is back.
func TestObserveDoesNotWait(t *testing.T) {
	s := observedSite(t)
	if err := s.sidecar.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s.load(mesh.LoadOptions{Events: 50, Connections: 4, Meters: 5})
	if err := s.sidecar.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	s.awaitResponses(50)
	s.sidecar.Kill()
	s.load(mesh.LoadOptions{Events: 50, Connections: 4, Meters: 5})
	s.startSidecar()
	poll(t, "the log to tell what was missed", func() (bool, error) { return toldBy(s, "envoy") >= 50, nil })
	if told := toldBy(s, "envoy"); told != 50 {
		t.Errorf("%d exchanges told, want 50", told)
	}
	if lost := s.lost("observe"); lost != 50 {
		t.Errorf("the status tells of %d exchanges, want 50", lost)
	}
	s.stop()
	if r := s.verify(0, s.log); r.Responses != 50 || r.Open != 0 {
		t.Errorf("%d responses and %d open requests, want 50 and none", r.Responses, r.Open)
	}
}

func (s *site) awaitResponses(n uint64) {
	s.t.Helper()
	poll(s.t, "the answers to be recorded", func() (bool, error) { return s.verify(0, s.log).Responses >= n, nil })
}

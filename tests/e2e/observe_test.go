package e2e

import (
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

// TestObserve: what is seen one after the other replays equal, with the clock and
// the seed that Envoy set.
func TestObserve(t *testing.T) {
	s := observedSite(t)
	s.load(mesh.LoadOptions{Events: 100, Connections: 1, Meters: 5})
	s.awaitResponses(100)
	s.stop()
	if v := s.replayInto(0, s.log, ""); v.Result != "VERIFIED" || v.Compared != 100 {
		t.Errorf("replay: %+v, want VERIFIED with 100 compared", v)
	}
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

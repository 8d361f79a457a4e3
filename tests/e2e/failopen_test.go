package e2e

import (
	"bufio"
	"encoding/json"
	"strings"
	"testing"

	"verbatim/filter"
)

// TestFailOpen: what passed while the sidecar was dead is told by Gap entries,
// which Envoy's counter witnesses, and told once.
func TestFailOpen(t *testing.T) {
	s := newSite(t, siteOptions{serve: []string{"--profile", "fail-open"}, capture: filter.Capture{Profile: filter.FailOpen}})
	// Only a running Envoy has an admin address, and it needs no sidecar to run.
	s.stopSidecar()
	s.options.serve = append(s.options.serve, "--envoy.admin", s.envoy.AdminURL)
	s.startSidecar()
	c := newClient()
	c.finish(s)
	told := uint64(0)
	for round := range 2 {
		stop := c.start(s)
		c.await(t, 100)
		s.sidecar.Kill()
		// Nobody is there to record them.
		c.await(t, 100)
		s.startSidecar()
		stop()
		now := awaitTold(s)
		if now < told+100 {
			t.Errorf("round %d: %d exchanges told, after %d; at least 100 passed since", round, now, told)
		}
		told = now
	}
	// One more start, after which it knows of the counter only what the log says.
	s.stopSidecar()
	s.startSidecar()
	c.finish(s)
	if lost := s.lost("fail-open"); lost != told {
		t.Errorf("the status tells of %d exchanges, Gap entries of %d", lost, told)
	}
	s.stop()
	if lost := s.lost("fail-open"); lost != told {
		t.Errorf("after the stop the status tells of %d exchanges, Gap entries of %d", lost, told)
	}
	checkTold(t, s, c, told)
}

// awaitTold waits until the log tells of all that Envoy counted, and returns how many.
func awaitTold(s *site) (exchanges uint64) {
	s.t.Helper()
	passed := uint64(0)
	poll(s.t, "the log to tell what passed", func() (_ bool, err error) {
		passed, err = s.envoy.Counter(s.t.Context(), filter.CounterPrefix+"failure_mode_allowed")
		exchanges = toldBy(s, "envoy")
		return exchanges >= passed, err
	})
	if exchanges > passed {
		s.t.Errorf("%d exchanges told, Envoy counted %d", exchanges, passed)
	}
	return exchanges
}

// toldBy sums up the Gap entries of a witness, "envoy" or "sidecar".
func toldBy(s *site, witness string) (exchanges uint64) {
	s.t.Helper()
	lines := bufio.NewScanner(strings.NewReader(s.run(0, "query", "--log", s.log, "--kind", "gap", "--format", "json")))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var entry struct {
			Event struct {
				Gap struct {
					Exchanges uint64
					Witness   string
				}
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			s.t.Fatalf("query printed no JSON: %v: %s", err, lines.Bytes())
		}
		if entry.Event.Gap.Witness == witness {
			exchanges += entry.Event.Gap.Exchanges
		}
	}
	if err := lines.Err(); err != nil {
		s.t.Fatal(err)
	}
	return exchanges
}

// lost is what status says to have passed unrecorded, of a log with this profile.
func (s *site) lost(profile string) uint64 {
	s.t.Helper()
	var status struct {
		Profile string `json:"profile"`
		Lost    uint64 `json:"lost_exchanges"`
	}
	s.runJSON(0, &status, "status", "--log", s.log)
	if status.Profile != profile {
		s.t.Errorf("the status says profile %q, want %q", status.Profile, profile)
	}
	return status.Lost
}

// checkTold compares a closed log with what the client saw.
func checkTold(t *testing.T, s *site, c *client, told uint64) {
	t.Helper()
	r := s.verify(0, s.log)
	if r.Gaps == 0 || r.Open != 0 {
		t.Errorf("%d gaps, %d open requests", r.Gaps, r.Open)
	}
	if len(c.refused) > 0 {
		t.Errorf("refused, by status: %v", c.refused)
	}
	whole := map[string]bool{}
	for _, x := range recordedExchanges(t, s.log) {
		whole[string(x.answer.GetBody())] = true
	}
	var missing uint64
	for answer := range c.answered {
		if !whole[answer] {
			missing++
		}
	}
	t.Logf("%d answered, %d of them not in the log, %d told in %d gaps", len(c.answered), missing, told, r.Gaps)
	if missing == 0 || told < missing {
		t.Errorf("%d answered exchanges are not in the log whole, gaps tell of %d", missing, told)
	}
	if now := toldBy(s, "envoy"); now != told {
		t.Errorf("%d exchanges told after a restart, %d before", now, told)
	}
}

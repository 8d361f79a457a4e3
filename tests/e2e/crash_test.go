package e2e

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/tests/mesh"
)

var drawSeed = flag.Uint64("draw.seed", 0, "draw the moments of crashes, and the traffic under which they are, from this `seed`, as a failed run printed it; 0: another one each time")

// drawnFrom is the seed of what a test draws; a failed run prints it.
func drawnFrom(t *testing.T) (seed uint64) {
	t.Helper()
	for seed = *drawSeed; seed == 0; {
		seed = rand.Uint64()
	}
	t.Logf("drawn with -draw.seed=%d", seed)
	return seed
}

// crashes draws the moments of crashes, as a number of answers from 1 to most.
func crashes(t *testing.T, most int) (next func() int) {
	t.Helper()
	random := rand.New(rand.NewPCG(drawnFrom(t), 0))
	return func() int {
		n := 1 + random.IntN(most)
		t.Logf("crash after %d answers", n)
		return n
	}
}

// TestCrashOfSidecar kills the sidecar under load, again and again. The load goes on
// meanwhile and is refused.
func TestCrashOfSidecar(t *testing.T) {
	s, c, next := newSite(t, siteOptions{}), newClient(), crashes(t, 200)
	stop := c.start(s)
	for range 20 {
		c.await(t, next())
		s.sidecar.Kill()
		s.startSidecar()
	}
	stop()
	c.finish(s)
	s.stop()
	c.check(t, s.log)
	checkCrashed(t, s, "restart: ")
}

// TestCrashOfEnvoy kills Envoy under load: the sidecar learns of it by the streams
// that break off.
func TestCrashOfEnvoy(t *testing.T) {
	s, c, next := newSite(t, siteOptions{}), newClient(), crashes(t, 400)
	for range 5 {
		stop := c.start(s)
		c.await(t, next())
		s.envoy.Kill()
		stop()
		s.startEnvoy()
	}
	c.finish(s)
	s.stop()
	c.check(t, s.log)
	checkCrashed(t, s, "the connection from envoy was lost")
}

// checkCrashed requires a closed log to hold, with every request closed, some
// of them for the reason given, and with a pipeline that isn't blamed.
func checkCrashed(t *testing.T, s *site, reason string) {
	t.Helper()
	r := s.verify(0, s.log)
	if r.Open != 0 || r.Requests != r.Responses+r.Aborts {
		t.Errorf("%d requests, %d responses, %d aborts, %d open", r.Requests, r.Responses, r.Aborts, r.Open)
	}
	closed := 0
	for _, x := range recordedExchanges(t, s.log) {
		if !strings.HasPrefix(x.abort.GetReason(), reason) {
			continue
		}
		closed++
		if x.abort.GetDelivered() != logv1.Delivered_DELIVERED_MAYBE {
			t.Errorf("request %d is closed as %v: %s", x.request.Offset, x.abort.GetDelivered(), x.abort.GetReason())
		}
	}
	if closed == 0 {
		t.Errorf("no request of %d was closed with %q: nothing was in flight at any crash", r.Requests, reason)
	}
	t.Logf("%d requests, %d answered, %d aborted, %d of them with %q", r.Requests, r.Responses, r.Aborts, closed, reason)
	checkNotBlamed(t, s)
}

// checkNotBlamed replays a log with unfinished events: what they did to the
// pipeline is not known, so a difference behind one is not the pipeline's.
func checkNotBlamed(t *testing.T, s *site) {
	t.Helper()
	target := s.freshPipeline("replayed", "")
	out, code, err := mesh.Run(t.Context(), s.verbatim, "replay", "--log", s.log, "--target", "http://"+target.Addr, "--json")
	if err != nil {
		t.Fatalf("replay: %v\n%s", err, out)
	}
	var v verdict
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("replay exited with %d and printed no JSON: %v\n%s", code, err, out)
	}
	verified := code == 0 && v.Result == "VERIFIED"
	cannotTell := code == 2 && v.Result == "CANNOT_TELL" && strings.Contains(v.Reason, "after unfinished event")
	if !verified && !cannotTell {
		t.Errorf("replay exited with %d: %+v", code, v)
	}
	t.Logf("replay: %s: %s", v.Result, v.Reason)
}

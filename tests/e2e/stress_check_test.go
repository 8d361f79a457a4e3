package e2e

import (
	"crypto/sha256"
	"net/http"
	"strings"

	"verbatim/filter"
	logv1 "verbatim/proto/verbatim/log/v1"
)

// checkReleased requires that nothing is held any more: each meter takes a request.
func (s *stress) checkReleased() {
	s.t.Helper()
	poll(s.t, "nothing to be held", func() (bool, error) {
		_, page := getPage(s.t, "http://"+s.sidecar.Admin+"/metrics")
		return strings.Contains(page, "verbatim_turn_waiting 0\n") && strings.Contains(page, "verbatim_turn_running 0\n") &&
			strings.Contains(page, "verbatim_in_flight_bytes 0\n"), nil
	})
	c := s.newClient(stressClients)
	defer c.transport.CloseIdleConnections()
	for meter := range stressMeters {
		body := c.body(100)
		if !c.send(ask{method: http.MethodPost, path: "/ledger", meter: meter, body: body, length: lengthOf(body)}) {
			s.t.Errorf("meter %d: a request behind the load is not answered: %v", meter, s.counts)
		}
	}
}

// noteMemory keeps the most that the processes had; they are about to end.
func (s *stress) noteMemory() {
	s.t.Helper()
	envoy, sidecar := s.peakMemory()
	s.peaks["envoy"], s.peaks["sidecar"] = max(s.peaks["envoy"], envoy), max(s.peaks["sidecar"], sidecar)
}

// checkMemory has the bounds of TestMemoryIsBounded, those of streams: what is written
// comes to the tables of the log that are in memory.
func (s *stress) checkMemory() {
	s.t.Helper()
	const mib = 1 << 20
	s.noteMemory()
	s.t.Logf("peaks: Envoy %d MiB, sidecar %d MiB", s.peaks["envoy"]/mib, s.peaks["sidecar"]/mib)
	if most := uint64(192*mib + 2*stressRoom); s.peaks["envoy"] > most {
		s.t.Errorf("Envoy had %d MiB, the bound is %d MiB", s.peaks["envoy"]/mib, most/mib)
	}
	if most := uint64(512*mib + 5*stressRoom); s.peaks["sidecar"] > most {
		s.t.Errorf("the sidecar had %d MiB, the bound is %d MiB", s.peaks["sidecar"]/mib, most/mib)
	}
}

// ended counts how the requests of a log ended.
type ended struct {
	answered, local, aborted int
	details                  map[string]int // by what Envoy answered itself
	reasons                  map[string]int // of Aborts
}

// checkLog compares a closed log with what clients saw and with what the pipeline
// gave, and replays it.
func (s *stress) checkLog() {
	s.t.Helper()
	list := recordedExchanges(s.t, s.log)
	n := s.checkAnswers(list)
	s.t.Logf("%d requests: %d answered, %d by Envoy %v, %d aborted %v", len(list), n.answered, n.local, n.details, n.aborted, n.reasons)
	n.check(s)
	r := s.verify(0, s.log)
	if !r.OK || r.Open != 0 || r.Gaps != 0 || int(r.Requests) != len(list) || int(r.Responses) != n.answered+n.local || int(r.Aborts) != n.aborted { //nolint:gosec // counts
		s.t.Errorf("verify: %+v", r)
	}
	scheme := "http://"
	if s.options.protocol == filter.H2 {
		scheme = "h2c://"
	}
	var v verdict
	// Some requests have no answer of the pipeline, and it may have got them: they are
	// sent again, and what they then do is not compared. They would make a difference
	// behind them CANNOT_TELL. There is none, since none of them has an effect that
	// depends on how far it got: so the verdict is VERIFIED.
	s.runJSON(0, &v, "replay", "--log", s.log, "--target", scheme+startStressPipeline(s.t, s.options.protocol, 0).address)
	if v.Result != "VERIFIED" || int(v.Compared) != n.answered || int(v.LocalReplies) != n.local || int(v.WithoutResponse) != n.aborted || //nolint:gosec // counts
		v.Differences != 0 || v.OriginalRoot != v.ReplayRoot || v.FootersChecked == 0 || v.FootersChecked != v.FootersEqual {
		s.t.Errorf("verdict %+v, of %+v", v, n)
	}
	s.t.Logf("replay: %s: %s; %d footers", v.Result, v.Reason, v.FootersEqual)
}

// checkAnswers requires that the log has each answer that a client saw, and none that
// the pipeline did not give to that request.
func (s *stress) checkAnswers(list []*recorded) ended {
	s.t.Helper()
	n := ended{details: map[string]int{}, reasons: map[string]int{}}
	logged := map[string]bool{}
	for _, x := range list {
		id := x.sentHeader("x-id")
		switch {
		case x.answer == nil:
			n.aborted++
			n.reasons[x.abort.GetDelivered().String()+" "+x.abort.GetReason()]++
			continue
		case x.local != nil:
			n.local++
			n.details[x.local.GetCodeDetails()]++
			continue
		}
		n.answered++
		sum := digestOf(x.answer)
		if !s.pipeline.hasGiven(id, sum) {
			s.t.Errorf("request %d, %s, is recorded with an answer that the pipeline did not give: %x", x.request.Offset, id, sum)
		}
		if saw, is := s.answers[id]; is && saw.sum == sum && saw.status == int(x.answer.GetStatus()) {
			logged[id] = true
		}
	}
	for id, saw := range s.answers {
		if !logged[id] {
			s.t.Errorf("request %s was answered with %d and %d octets, and the log does not have that", id, saw.status, saw.octets)
		}
	}
	if len(s.answers) == 0 {
		s.t.Error("no client saw an answer")
	}
	return n
}

// digestOf is the digest of an answer's body.
func digestOf(out *logv1.Output) [32]byte {
	if len(out.GetStreamSha256()) > 0 {
		return [32]byte(out.GetStreamSha256())
	}
	return sha256.Sum256(out.GetBody())
}

// check requires each kind of end.
func (n ended) check(s *stress) {
	s.t.Helper()
	for _, want := range []string{"upstream_reset_before_response_started", "response_timeout"} {
		if !anyHasPrefix(n.details, want) {
			s.t.Errorf("Envoy answered no request by itself with %s", want)
		}
	}
	for _, want := range []string{
		"DELIVERED_MAYBE restart: ", "DELIVERED_MAYBE the recording process was stopped", "DELIVERED_MAYBE the connection from envoy was lost",
		"DELIVERED_MAYBE the client went away, or the pipeline reset the connection or took too long,",
	} {
		if !anyHasPrefix(n.reasons, want) {
			s.t.Errorf("no request was aborted by: %s", want)
		}
	}
}

func anyHasPrefix(counts map[string]int, prefix string) bool {
	for text := range counts {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

package capture_test

import (
	"testing"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"verbatim/sidecar/capture"
)

// TestNothingLetsAWaitingRequestThrough: ends that are repeated and messages
// without content don't count while a request waits for its turn.
func TestNothingLetsAWaitingRequestThrough(t *testing.T) {
	r := newRig(t, nil)
	first, second := r.begin(), r.begin()
	first.ask(requestHeaders(true, "x-meter-id", "m"))
	second.ask(requestHeaders(false, "x-meter-id", "m"))
	second.send(requestBody(true, "b"))
	second.send(requestBody(true, "b"))
	second.send(&extprocv3.ProcessingRequest{})
	first.ask(responseHeaders(true, "200", "via_upstream", 0))
	reply, err := second.stream.Recv()
	if err != nil || len(reply.GetRequestBody().GetResponse().GetHeaderMutation().GetSetHeaders()) != 2 {
		t.Fatalf("the waiting request's reply: %v, %v", reply, err)
	}
	list := r.events(4)
	if list[2].GetResponse() == nil || list[3].GetRequest() == nil {
		t.Errorf("order: %v", list[2:])
	}
	second.ask(responseHeaders(true, "200", "via_upstream", 0))
	first.end()
	second.end()
}

func TestEnvoysAnswerWhileWaitingEndsTheWait(t *testing.T) {
	r := newRig(t, nil)
	first, second := r.begin(), r.begin()
	first.ask(requestHeaders(true, "x-meter-id", "m"))
	second.send(requestHeaders(true, "x-meter-id", "m"))
	if second.ask(responseHeaders(true, "504", "stream_timeout", 0)).GetResponseHeaders() == nil {
		t.Error("Envoy's own answer is held up")
	}
	second.end()
	first.ask(responseHeaders(true, "200", "via_upstream", 0))
	first.end()
	if n := len(r.events(3)); n != 3 {
		t.Errorf("%d entries: the request that never entered is recorded", n)
	}
}

func TestRepeatedTrailersAreRecordedOnce(t *testing.T) {
	r := newRig(t, nil)
	x := r.begin()
	x.ask(requestHeaders(false))
	x.ask(requestBody(false, "body"))
	x.ask(requestTrailers("t", "1"))
	x.ask(requestTrailers("t", "1"))
	x.ask(responseHeaders(true, "200", "via_upstream", 0))
	x.end()
	if list := r.events(4); len(list) != 4 || list[3].GetResponse() == nil {
		t.Errorf("entries %v", list)
	}
}

// TestAGapKeepsItsBeginning: what could not be told stays as old as it is.
func TestAGapKeepsItsBeginning(t *testing.T) {
	r := newRig(t, nil)
	var l capture.Losses
	old := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	l.Add("envoy", "r")
	l.AddSince("envoy", "r", old, 2)
	if u := l.Untold(); len(u) != 1 || u[0].Exchanges != 3 || !u[0].Since.Equal(old) {
		t.Errorf("untold %v, want 3 exchanges since %v", u, old)
	}
	if err := l.Tell(t.Context(), r.log); err != nil {
		t.Fatal(err)
	}
	if u := l.Untold(); len(u) != 0 {
		t.Errorf("told, and still untold: %v", u)
	}
	gap := r.events(2)[1].GetGap()
	if gap.GetExchanges() != 3 || gap.GetSinceMs() != uint64(old.UnixMilli()) {
		t.Errorf("gap %v, want 3 exchanges since %d", gap, old.UnixMilli())
	}
	if err := l.Tell(t.Context(), r.log); err != nil || len(r.events(2)) != 2 {
		t.Errorf("told twice, or %v", err)
	}
}

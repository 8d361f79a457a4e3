package capture_test

import (
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/capture"
)

// final is an answer behind an interim one: Envoy says who gave it once.
func final() *extprocv3.ProcessingRequest {
	m := unsized("content-length", "2")
	m.Attributes = nil
	return m
}

// TestAnInterimAnswerIsNone: Envoy takes one reply for it and the answer that follows at
// once, and has one of its own for it where that follows late.
func TestAnInterimAnswerIsNone(t *testing.T) {
	odd := answerHeaders(false, "via_upstream", 0, ":status", "199")
	for name, c := range map[string]struct {
		request *extprocv3.ProcessingRequest
		late    bool
		want    []string
	}{
		"at once":  {requestHeaders(true), false, []string{"request stream=false", `response "ok"`}},
		"late":     {requestHeaders(true), true, []string{"request stream=false", `response "ok"`}},
		"left out": {healthCheck(), false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			x := r.begin()
			x.ask(c.request)
			if c.late {
				x.ask(odd)
			} else {
				x.send(odd)
				x.send(odd)
			}
			x.ask(final())
			if c.want != nil {
				x.ask(responseBody(true, "ok"))
			}
			if err := x.stream.CloseSend(); err != nil {
				t.Fatal(err)
			}
			if reply, err := x.stream.Recv(); err == nil {
				t.Errorf("another reply came: %v", reply)
			}
			r.want(c.want...)
			if c.want != nil {
				if local := r.events(3)[2].GetResponse().GetLocalReply(); local != nil {
					t.Errorf("it is Envoy's own: %v", local)
				}
			}
		})
	}
}

// TestAnObservedInterimAnswerIsNone: in profile observe nothing is replied to.
func TestAnObservedInterimAnswerIsNone(t *testing.T) {
	r := newRig(t, func(o *capture.Options) { o.Profile = logv1.Profile_PROFILE_OBSERVE })
	x := r.begin()
	for _, m := range []*extprocv3.ProcessingRequest{
		observed(true), answerHeaders(false, "via_upstream", 0, ":status", "199"), final(), responseBody(true, "ok"),
	} {
		x.send(m)
	}
	x.end()
	r.wantSoon("request stream=false", `response "ok"`)
	if local := r.events(3)[2].GetResponse().GetLocalReply(); local != nil {
		t.Errorf("it is Envoy's own: %v", local)
	}
}

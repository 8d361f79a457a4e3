package capture_test

import (
	"fmt"
	"testing"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/capture"
)

// TestAPartThatCanNotBeRecorded closes the log before each step of a stream: what
// the step brings is cut, or passes and is a loss.
func TestAPartThatCanNotBeRecorded(t *testing.T) {
	steps := []*extprocv3.ProcessingRequest{
		grpcHeaders("x-meter-id", "m"), requestBody(false, "a"), requestBody(true, "b"), unsized("content-type", "application/grpc"),
		responseBody(false, "c"), responseTrailers("grpc-status", "0"),
	}
	for failing := range steps {
		for _, open := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d, fail open %v", failing, open), func(t *testing.T) {
				r := newRig(t, func(o *capture.Options) {
					if open {
						o.Profile = logv1.Profile_PROFILE_FAIL_OPEN
					}
				})
				x := r.begin()
				for i, m := range steps {
					if i == failing {
						if err := r.log.Close(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					reply := x.ask(m)
					if i >= failing && !open {
						refused(t, reply, "could not be recorded")
						break
					}
					if reply.GetImmediateResponse() != nil {
						t.Fatalf("step %d is refused: %v", i, reply)
					}
				}
				x.end()
				if told := r.losses.Tell(t.Context(), r.log) != nil; told != open {
					t.Errorf("a loss was counted: %v", told)
				}
			})
		}
	}
}

// TestWhatIsHeldPassesWhenFailingOpen: a chunk that waits must not wait for ever.
func TestWhatIsHeldPassesWhenFailingOpen(t *testing.T) {
	r := newRig(t, func(o *capture.Options) { o.Profile = logv1.Profile_PROFILE_FAIL_OPEN })
	x := r.begin()
	x.ask(requestHeaders(true))
	x.ask(unsized())
	x.send(responseBody(false, "held"))
	if err := r.log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.ask(responseBody(true, ""))
	x.replies(1)
	x.end()
}

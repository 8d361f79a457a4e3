package capture_test

import (
	"fmt"
	"strconv"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/capture"
)

// TestAttemptsStandByTheirNumber: behind the router all attempts of a request have its
// time.
func TestAttemptsStandByTheirNumber(t *testing.T) {
	const attempts = 5
	r := newRig(t, func(o *capture.Options) {
		o.Profile, o.Position = logv1.Profile_PROFILE_OBSERVE, logv1.Position_POSITION_UPSTREAM
	})
	for i := range attempts {
		n := attempts - i // the last comes first
		m := requestHeaders(true, "x-attempt", strconv.Itoa(n))
		attrs, err := structpb.NewStruct(map[string]any{"upstream.request_attempt_count": n, "request.time": "2026-03-01T10:00:00.000001Z"})
		if err != nil {
			t.Fatal(err)
		}
		m.Attributes = map[string]*structpb.Struct{"envoy.filters.http.ext_proc": attrs}
		r.begin().send(m)
	}
	for i, ev := range r.events(1 + attempts)[1:] {
		if want := fmt.Sprintf("x-attempt=%d;", i+1); ev.GetRequest() == nil || headersOf(ev.GetRequest().GetHeaders()[2:3]) != want {
			t.Errorf("entry %d is %v, want %s", i+1, ev, want)
		}
	}
}

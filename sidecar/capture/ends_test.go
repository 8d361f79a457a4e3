package capture_test

import (
	"context"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/capture"
)

// TestTheCauseOfAnAbort ends one exchange that is in the pipeline in every way.
func TestTheCauseOfAnAbort(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(r *rig, x *exchange)
		cause logv1.AbortCause
	}{
		"stream closed":   {func(_ *rig, x *exchange) { x.end() }, logv1.AbortCause_ABORT_CAUSE_TIMEOUT},
		"stream reset":    {func(_ *rig, x *exchange) { x.cancel() }, logv1.AbortCause_ABORT_CAUSE_TIMEOUT},
		"connection lost": {func(r *rig, _ *exchange) { _ = r.conn.Close() }, logv1.AbortCause_ABORT_CAUSE_UNKNOWN},
		"process stopped": {func(r *rig, _ *exchange) { r.server.Stopping(); r.grpc.Stop() }, logv1.AbortCause_ABORT_CAUSE_RESTART},
		"answer that can't be read": {func(_ *rig, x *exchange) {
			x.send(responseHeaders(true, "no status", "via_upstream", 0))
		}, logv1.AbortCause_ABORT_CAUSE_REFUSED},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *capture.Options) {
				o.Ended = func(_ context.Context, since time.Time) logv1.AbortCause {
					if since.IsZero() {
						t.Error("the exchange has no beginning")
					}
					return logv1.AbortCause_ABORT_CAUSE_TIMEOUT // so say the counters
				}
			})
			x := r.begin()
			x.ask(requestHeaders(true))
			c.end(r, x)
			abort := r.events(3)[2].GetAbort()
			if abort.GetCause() != c.cause || abort.GetDelivered() != logv1.Delivered_DELIVERED_MAYBE {
				t.Errorf("abort %v, want cause %s", abort, c.cause)
			}
		})
	}
}

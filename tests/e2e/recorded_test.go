package e2e

import (
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
)

// recorded is one exchange as the log has it.
type recorded struct {
	request auditlog.Entry
	sent    *logv1.Request
	// Without a Response these are zero.
	response auditlog.Entry
	answer   *logv1.Output
	local    *logv1.LocalReply // nil: the pipeline answered
	// Nil without an Abort.
	abort *logv1.Abort
}

// recordedExchanges reads a closed log, in the order of the requests.
func recordedExchanges(t *testing.T, log string) []*recorded {
	t.Helper()
	var list []*recorded
	open := map[uint64]*recorded{}
	eachEvent(t, log, 0, func(e auditlog.Entry, ev *logv1.Event) bool {
		switch k := ev.GetKind().(type) {
		case *logv1.Event_Request:
			x := &recorded{request: e, sent: k.Request}
			list, open[e.Offset] = append(list, x), x
		case *logv1.Event_Response:
			x := open[k.Response.GetRequestOffset()]
			x.response, x.local = e, k.Response.GetLocalReply()
			var err error
			if x.answer, err = output.Decode(k.Response.GetOutput()); err != nil {
				t.Fatalf("entry %d: %v", e.Offset, err)
			}
		case *logv1.Event_Abort:
			open[k.Abort.GetRequestOffset()].abort = k.Abort
		}
		return true
	})
	return list
}

// sentHeader is the value of a request's header, empty without one.
func (x *recorded) sentHeader(name string) string {
	for _, h := range x.sent.GetHeaders() {
		if string(h.GetName()) == name {
			return string(h.GetValue())
		}
	}
	return ""
}

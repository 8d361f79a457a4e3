package e2e

import (
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// recordedExchange is one request of a log and what belongs to it.
type recordedExchange struct {
	offset   uint64
	request  *logv1.Request
	body     []byte // its own, or that of its parts
	trailers []*logv1.Header
	response *logv1.Response // nil: none
	abort    *logv1.Abort    // nil: none
}

// header is the first value of name in the recorded list.
func (x *recordedExchange) header(name string) string {
	for _, h := range x.request.GetHeaders() {
		if string(h.GetName()) == name {
			return string(h.GetValue())
		}
	}
	return ""
}

// readExchanges reads a log that nobody writes, in the order of its requests.
func readExchanges(t *testing.T, log string) []*recordedExchange {
	t.Helper()
	var list []*recordedExchange
	by := map[uint64]*recordedExchange{}
	eachEvent(t, log, 0, func(e auditlog.Entry, ev *logv1.Event) bool {
		switch k := ev.GetKind().(type) {
		case *logv1.Event_Request:
			x := &recordedExchange{offset: e.Offset, request: k.Request, body: k.Request.GetBody()}
			list, by[e.Offset] = append(list, x), x
		case *logv1.Event_RequestPart:
			x := by[k.RequestPart.GetRequestOffset()]
			x.body = append(x.body, k.RequestPart.GetData()...)
			x.trailers = append(x.trailers, k.RequestPart.GetTrailers()...)
		case *logv1.Event_Response:
			by[k.Response.GetRequestOffset()].response = k.Response
		case *logv1.Event_Abort:
			by[k.Abort.GetRequestOffset()].abort = k.Abort
		}
		return true
	})
	return list
}

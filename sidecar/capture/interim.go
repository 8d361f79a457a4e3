package capture

import (
	"net/http"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"verbatim/sidecar/output"
)

// interimHold is how long an interim answer waits for what follows it.
const interimHold = time.Second

// isInterim says whether a header list is that of an interim answer. Behind the router
// Envoy shows one of a status that it does not know, 1xx but 100, 102 and 103, as if it
// was the answer, and drops it further on. 101 is an answer.
func isInterim(h *extprocv3.HttpHeaders) bool {
	status, _, err := output.SplitStatus(headerList(h.GetHeaders()))
	return err == nil && status/100 == 1 && status != http.StatusSwitchingProtocols
}

// interim is what Envoy said with interim answers.
type interim struct{ attributes map[string]*structpb.Struct }

// add takes what came with one.
func (i *interim) add(attrs map[string]*structpb.Struct) {
	if len(attrs) > 0 {
		i.attributes = attrs
	}
}

// or is what came with the answer, or before: Envoy says it once.
func (i *interim) or(attrs map[string]*structpb.Struct) map[string]*structpb.Struct {
	if len(attrs) > 0 {
		return attrs
	}
	return i.attributes
}

// holdInterim keeps the reply back until the answer is there, for a moment. Envoy takes
// the reply to an interim answer that another list followed for the reply to that, and a
// second reply fails the exchange: so both get one together, the answer's.
func (x *exchange) holdInterim() {
	x.answer.takeHeld()
	x.holdFor(interimHold, continueResponseHeaders())
}

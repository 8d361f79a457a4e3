package capture

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// refusal is an answer in the pipeline's place.
type refusal struct {
	reason   string // one word, for machines
	status   int
	sentence string
}

// refuseWith answers the client in the pipeline's place. What follows on the
// stream is ignored: the exchange is not the pipeline's any more.
func (x *exchange) refuseWith(r *refusal) error {
	x.server.Metrics.Refused(r.reason)
	x.close(logv1.AbortCause_ABORT_CAUSE_REFUSED, "refused: "+r.sentence)
	x.phase = overturned
	x.room.Release() // Envoy drops what it has of it
	if x.server.Position == logv1.Position_POSITION_UPSTREAM {
		// There Envoy ignores an answer of ours; when the stream fails it answers.
		return status.Error(codes.Unavailable, "verbatim: "+r.sentence)
	}
	return x.send(immediate(r))
}

// immediate marks the answer as ours. Envoy does not retry it.
func immediate(r *refusal) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ImmediateResponse{
		ImmediateResponse: &extprocv3.ImmediateResponse{
			Status:  &typev3.HttpStatus{Code: typev3.StatusCode(r.status)}, //nolint:gosec // a status of ours, three digits
			Headers: &extprocv3.HeaderMutation{SetHeaders: []*corev3.HeaderValueOption{setHeader(output.RefusedHeader, r.reason)}},
			Body:    []byte("verbatim: " + r.sentence + "\n"),
			Details: "verbatim_" + r.reason,
		},
	}}
}

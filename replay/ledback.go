package replay

import (
	"errors"
	"slices"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// errLedBack: a sidecar that records refused the request, since it has it.
var errLedBack = errors.New("the target turned out to lead back to where its traffic is recorded")

func ledBack(m output.Message) bool {
	return slices.ContainsFunc(m.Headers, func(h *logv1.Header) bool {
		return string(h.GetName()) == output.RefusedHeader && string(h.GetValue()) == output.RefusedReplay
	})
}

package replay

import (
	"errors"
	"slices"
	"strings"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// errLedBack: a sidecar refused the request, so the target is not the pipeline
// itself but leads to where traffic is recorded. Whatever the reason for which it
// refused, that is no answer of the pipeline.
var errLedBack = errors.New("the target turned out to lead back to where its traffic is recorded")

func ledBack(m output.Message) bool {
	return slices.ContainsFunc(m.Headers, func(h *logv1.Header) bool {
		return strings.EqualFold(string(h.GetName()), output.RefusedHeader)
	})
}

package capture

import (
	filterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
)

type bodyMode = filterv3.ProcessingMode_BodySendMode

// How Envoy shows a body.
const (
	bodyWhole   = filterv3.ProcessingMode_BUFFERED
	bodyInParts = filterv3.ProcessingMode_STREAMED
	bodyUnseen  = filterv3.ProcessingMode_NONE
)

// withModes tells Envoy in a reply to headers how to show the bodies. It holds for
// both directions, so what was said of the request is said again: another mode
// would let what comes overtake what waits.
func (x *exchange) withModes(r *extprocv3.ProcessingResponse, response bodyMode) *extprocv3.ProcessingResponse {
	r.ModeOverride = &filterv3.ProcessingMode{
		RequestBodyMode: x.request.mode, RequestTrailerMode: trailersLike(x.request.mode),
		ResponseBodyMode: response, ResponseTrailerMode: trailersLike(response),
	}
	return r
}

func trailersLike(body bodyMode) filterv3.ProcessingMode_HeaderSendMode {
	if body == bodyUnseen {
		return filterv3.ProcessingMode_SKIP
	}
	return filterv3.ProcessingMode_SEND
}

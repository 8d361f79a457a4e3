package capture

import (
	"slices"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// routerHeaders are the request headers that Envoy's router, the filter behind
// this one, reads and removes. They get this far from internal clients alone.
// Behind the router they are there because it adds them, as its route says. Found with Envoy 1.40.0, by sending it every x-envoy header.
var routerHeaders = map[string]bool{
	"x-envoy-hedge-on-per-try-timeout":         true,
	"x-envoy-max-retries":                      true,
	"x-envoy-retriable-header-names":           true,
	"x-envoy-retriable-status-codes":           true,
	"x-envoy-retry-grpc-on":                    true,
	"x-envoy-retry-on":                         true,
	"x-envoy-upstream-alt-stat-name":           true,
	"x-envoy-upstream-rq-per-try-timeout-ms":   true,
	"x-envoy-upstream-rq-timeout-alt-response": true,
	"x-envoy-upstream-rq-timeout-ms":           true,
	"x-envoy-upstream-stream-duration-ms":      true,
}

// keepPipelineHeaders takes out of the list what the pipeline will not see, and
// says whether that includes a clock or a seed of the client's own, which Envoy
// must be told to remove.
func (x *exchange) keepPipelineHeaders() (clientSets bool) {
	x.request.headers = slices.DeleteFunc(x.request.headers, func(h *logv1.Header) bool {
		name := string(h.GetName())
		own := name == x.server.ClockHeader || name == x.server.SeedHeader
		clientSets = clientSets || own
		return own || x.server.routerRemoves(name)
	})
	return clientSets
}

// routerRemoves says whether the pipeline will not see a header that was shown.
func (s *Server) routerRemoves(name string) bool {
	return s.Position != logv1.Position_POSITION_UPSTREAM && routerHeaders[name]
}

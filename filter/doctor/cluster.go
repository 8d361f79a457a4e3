package doctor

import (
	"fmt"
	"math"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	upstreamhttpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// clusters looks at where captured traffic goes, and at the sidecar's own cluster.
func (x *examination) clusters() {
	seen := map[string]bool{}
	for _, s := range x.sites {
		if s.capture != nil {
			seen[s.capture.config.GetGrpcService().GetEnvoyGrpc().GetClusterName()] = true
		}
	}
	for _, p := range x.upstream {
		seen[p.config.GetGrpcService().GetEnvoyGrpc().GetClusterName()] = true
	}
	for _, cl := range x.config.Clusters {
		where := "cluster " + cl.GetName()
		switch {
		case seen[cl.GetName()]:
			x.breakers(where, cl, "the sidecar is not asked then, and requests fail")
			if n := len(x.config.endpoints(cl)); n > 1 {
				x.add("several-sidecars", Doubts, where, fmt.Sprintf("it has %d endpoints: exchanges of one meter spread over several logs, and order holds within one", n), "give it the one sidecar beside this Envoy")
			}
		case x.captured[cl.GetName()]:
			x.breakers(where, cl, "Envoy refuses requests then that the pipeline would take")
			x.pipeline(where, cl)
		}
	}
}

// pipeline looks at a captured cluster.
func (x *examination) pipeline(where string, cl *clusterv3.Cluster) {
	x.fits(where, "per_connection_buffer_limit_bytes", cl.GetPerConnectionBufferLimitBytes())
	hashing := cl.GetLbPolicy() == clusterv3.Cluster_RING_HASH || cl.GetLbPolicy() == clusterv3.Cluster_MAGLEV
	if n := len(x.config.endpoints(cl)); n > 1 && x.settings.Ordered && !hashing {
		x.add("several-pipelines", Doubts, where, fmt.Sprintf("it has %d endpoints and does not route by meter: which instance got an event is not what a replay repeats", n),
			"use RING_HASH or MAGLEV with a hash_policy on the meter's header, or one instance for each sidecar")
	}
	var options upstreamhttpv3.HttpProtocolOptions
	if unpack(cl.GetTypedExtensionProtocolOptions()[protocolOptions], &options) {
		if http1 := options.GetExplicitHttpConfig().GetHttpProtocolOptions(); http1 != nil && !http1.GetEnableTrailers() {
			x.add("http1-trailers", Doubts, where, "trailers of the pipeline's HTTP/1.1 answers are dropped before they are recorded: a replay sees them, and differs", "set http_protocol_options.enable_trailers")
		}
		return
	}
	x.add("http1-trailers", Doubts, where, "trailers of the pipeline's HTTP/1.1 answers are dropped before they are recorded: a replay sees them, and differs", "give it explicit_http_config with enable_trailers")
}

// defaultBreaker is each of Envoy's limits where none is set.
const defaultBreaker = 1024

// breakers finds limits that Envoy has for every cluster unless it is told otherwise.
func (x *examination) breakers(where string, cl *clusterv3.Cluster, then string) {
	limits := map[string]uint32{"max_connections": defaultBreaker, "max_pending_requests": defaultBreaker, "max_requests": defaultBreaker}
	for _, t := range cl.GetCircuitBreakers().GetThresholds() {
		for name, v := range map[string]*wrapperspb.UInt32Value{
			"max_connections": t.GetMaxConnections(), "max_pending_requests": t.GetMaxPendingRequests(), "max_requests": t.GetMaxRequests(),
		} {
			if v != nil {
				limits[name] = v.GetValue()
			}
		}
	}
	var tight []string
	for _, name := range []string{"max_connections", "max_pending_requests", "max_requests"} {
		if limits[name] <= defaultBreaker {
			tight = append(tight, fmt.Sprintf("%s %d", name, limits[name]))
		}
	}
	if len(tight) > 0 {
		x.add("circuit-breakers", Holds, where, "its circuit breaker opens at "+strings.Join(tight, ", ")+": "+then,
			fmt.Sprintf("set each to %d: the sidecar bounds what waits", uint32(math.MaxUint32)))
	}
}

package filter

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	upstreamhttpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// SidecarCluster is the cluster of the sidecar. The filter refers to it by this name.
const SidecarCluster = "verbatim_sidecar"

// protocolOptions is the key of a cluster's HTTP options.
const protocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

// Bounds of HTTP/2's flow-control windows in octets, RFC 9113 section 6.9.2.
const (
	minWindow = 1<<16 - 1
	maxWindow = 1<<31 - 1
)

// connectTimeout bounds the connection to a neighbour, pipeline or sidecar.
const connectTimeout = 5 * time.Second

// Cluster returns the cluster of the sidecar: gRPC over its Unix socket.
func (c Capture) Cluster() (*clusterv3.Cluster, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	address := &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: c.Sidecar}}}
	return newCluster(SidecarCluster, clusterv3.Cluster_STATIC, address, H2, c.MaxEventBytes)
}

func (b Bootstrap) pipelineCluster() (*clusterv3.Cluster, error) {
	host, port, err := splitAddress("pipeline", b.Pipeline)
	if err != nil {
		return nil, err
	}
	if port == 0 {
		return nil, fmt.Errorf("pipeline address %q: port 0 cannot be connected to", b.Pipeline)
	}
	if b.Pipeline == b.Listen {
		return nil, fmt.Errorf("pipeline address %q is the listen address: Envoy would call itself", b.Pipeline)
	}
	discovery := clusterv3.Cluster_STATIC
	if _, err := netip.ParseAddr(host); err != nil {
		discovery = clusterv3.Cluster_STRICT_DNS
	}
	var filters []*hcmv3.HttpFilter
	if b.Capture != nil && b.Capture.Position == Upstream {
		if filters, err = b.Capture.upstreamFilters(); err != nil {
			return nil, err
		}
	}
	return newCluster(PipelineCluster, discovery, socketAddress(host, port), b.PipelineProtocol, b.maxEventBytes(), filters...)
}

func newCluster(name string, discovery clusterv3.Cluster_DiscoveryType, address *corev3.Address, protocol Protocol, bufferBytes uint32, filters ...*hcmv3.HttpFilter) (*clusterv3.Cluster, error) {
	options, err := upstreamOptions(protocol, bufferBytes, filters)
	if err != nil {
		return nil, err
	}
	m := &clusterv3.Cluster{
		Name:                          name,
		ClusterDiscoveryType:          &clusterv3.Cluster_Type{Type: discovery},
		ConnectTimeout:                durationpb.New(connectTimeout),
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(bufferBytes),
		CircuitBreakers:               noCircuitBreaker(),
		TypedExtensionProtocolOptions: map[string]*anypb.Any{protocolOptions: options},
		LoadAssignment: &endpointv3.ClusterLoadAssignment{
			ClusterName: name,
			Endpoints: []*endpointv3.LocalityLbEndpoints{{
				LbEndpoints: []*endpointv3.LbEndpoint{{
					HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: address}},
				}},
			}},
		},
	}
	if err := m.ValidateAll(); err != nil {
		return nil, fmt.Errorf("validate cluster %s: %w", name, err)
	}
	return m, nil
}

// noCircuitBreaker lifts Envoy's limits of 1,024 requests: the sidecar bounds
// what waits. Retries stay at none, whoever asks for one: a request that is
// sent twice would be recorded once.
func noCircuitBreaker() *clusterv3.CircuitBreakers {
	return &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{{
		MaxConnections:     wrapperspb.UInt32(math.MaxUint32),
		MaxPendingRequests: wrapperspb.UInt32(math.MaxUint32),
		MaxRequests:        wrapperspb.UInt32(math.MaxUint32),
		MaxRetries:         wrapperspb.UInt32(0),
	}}}
}

func upstreamOptions(protocol Protocol, bufferBytes uint32, filters []*hcmv3.HttpFilter) (*anypb.Any, error) {
	explicit := &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig{}
	switch protocol {
	case H1:
		explicit.ProtocolConfig = &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{HttpProtocolOptions: http1Options()}
	case H2:
		explicit.ProtocolConfig = &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{Http2ProtocolOptions: http2Options(bufferBytes)}
	default:
		return nil, fmt.Errorf("pipeline protocol %v is unknown: give H1 or H2", protocol)
	}
	return pack(&upstreamhttpv3.HttpProtocolOptions{
		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{
			MaxResponseHeadersKb: wrapperspb.UInt32(maxHeadersKiB),
		},
		UpstreamProtocolOptions: &upstreamhttpv3.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: explicit},
		HttpFilters:             filters,
	})
}

// http1Options keeps trailers of chunked bodies. Without it Envoy drops them
// silently, after the sidecar has seen those of an HTTP/2 client.
func http1Options() *corev3.Http1ProtocolOptions {
	return &corev3.Http1ProtocolOptions{EnableTrailers: true}
}

// http2Options makes room for a whole body: the stream's window is also the
// stream's buffer limit.
func http2Options(bufferBytes uint32) *corev3.Http2ProtocolOptions {
	window := min(max(bufferBytes, minWindow), maxWindow)
	return &corev3.Http2ProtocolOptions{
		InitialStreamWindowSize:     wrapperspb.UInt32(window),
		InitialConnectionWindowSize: wrapperspb.UInt32(min(max(window, defaultConnectionWindow), maxWindow)),
	}
}

// defaultConnectionWindow is Envoy's own, in octets.
const defaultConnectionWindow = 24 << 20

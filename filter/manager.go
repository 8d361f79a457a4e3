package filter

import (
	"math"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// maxHeadersKiB bounds a header list, of a request and of a response.
const maxHeadersKiB = 96

// requestHeadersTimeout bounds how long a client may take to send its header list.
const requestHeadersTimeout = 10 * time.Second

// minStreamIdleTimeout is Envoy's default for a stream without traffic.
const minStreamIdleTimeout = 5 * time.Minute

// connectionManager leaves a request as the client sent it wherever Envoy lets
// that be chosen. Envoy still lowers the case of header names, joins or splits
// chunks, drops hop-by-hop fields and adds x-forwarded-proto; all of that
// happens before the capture, with and without it.
func (b Bootstrap) connectionManager() (*hcmv3.HttpConnectionManager, error) {
	filters, err := b.httpFilters()
	if err != nil {
		return nil, err
	}
	return &hcmv3.HttpConnectionManager{
		StatPrefix:     HCMStatPrefix,
		CodecType:      hcmv3.HttpConnectionManager_AUTO,
		RouteSpecifier: &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: b.routes()},
		HttpFilters:    filters,
		UpgradeConfigs: b.upgrades(),

		ServerHeaderTransformation:   hcmv3.HttpConnectionManager_PASS_THROUGH,
		GenerateRequestId:            wrapperspb.Bool(false),
		NormalizePath:                wrapperspb.Bool(false),
		PathWithEscapedSlashesAction: hcmv3.HttpConnectionManager_KEEP_UNCHANGED,

		// No hop of x-forwarded-for is trusted, so that source.address is the
		// peer's own address and not one that a client claims. The header itself
		// is neither read nor changed.
		XffNumTrustedHops: math.MaxUint32,

		MaxRequestHeadersKb:  wrapperspb.UInt32(maxHeadersKiB),
		HttpProtocolOptions:  http1Options(),
		Http2ProtocolOptions: b.clientHTTP2(),

		// request_timeout stays off: it would count the wait for a turn.
		RequestHeadersTimeout: durationpb.New(requestHeadersTimeout),
		StreamIdleTimeout:     durationpb.New(b.streamIdleTimeout()),
	}, nil
}

// streamIdleTimeout exceeds the longest silence that is in order: the sidecar's
// four answers up to the end of the request's trailers, one after the other,
// then the pipeline's.
func (b Bootstrap) streamIdleTimeout() time.Duration {
	wait := b.RouteTimeout
	if b.Capture != nil {
		message := b.Capture.MessageTimeout
		if message == 0 {
			message = DefaultMessageTimeout
		}
		wait += 4 * message
	}
	return max(wait, minStreamIdleTimeout)
}

// routes sends everything to the pipeline. There is no retry policy, and Envoy
// strips the headers by which a client would ask for one, since it regards
// every client as external.
func (b Bootstrap) routes() *routev3.RouteConfiguration {
	return &routev3.RouteConfiguration{
		Name: PipelineCluster,
		VirtualHosts: []*routev3.VirtualHost{{
			Name:    PipelineCluster,
			Domains: []string{"*"},
			Routes: []*routev3.Route{{
				Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
				Action: &routev3.Route_Route{Route: &routev3.RouteAction{
					ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: PipelineCluster},
					Timeout:          durationpb.New(b.RouteTimeout),
				}},
				RequestBodyBufferLimit: wrapperspb.UInt64(uint64(b.maxEventBytes())),
			}},
		}},
	}
}

func routerFilter() (*hcmv3.HttpFilter, error) {
	config, err := pack(&routerv3.Router{SuppressEnvoyHeaders: true})
	if err != nil {
		return nil, err
	}
	return &hcmv3.HttpFilter{
		Name:       "envoy.filters.http.router",
		ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: config},
	}, nil
}

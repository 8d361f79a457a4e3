package doctor_test

import (
	"slices"
	"testing"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	bufferv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/buffer/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"verbatim/filter"
	"verbatim/filter/doctor"
)

// settings are serve's defaults.
var settings = doctor.Settings{Socket: socket, Pipeline: "127.0.0.1:8080", MaxEventBytes: 16 << 20, MessageBound: 10 * time.Second, Ordered: true}

func TestOurOwnConfigurationHasNoFindings(t *testing.T) {
	for name, o := range map[string]filter.Bootstrap{
		"h1":        {},
		"h2":        {PipelineProtocol: filter.H2},
		"fail open": {Capture: &filter.Capture{Sidecar: socket, Profile: filter.FailOpen}},
		"upstream":  {PipelineProtocol: filter.H2, Capture: &filter.Capture{Sidecar: socket, Position: filter.Upstream}},
		"observe":   {Capture: &filter.Capture{Sidecar: socket, Profile: filter.Observe}},
	} {
		t.Run(name, func(t *testing.T) {
			s := settings
			s.FailOpen = o.Capture != nil && o.Capture.Profile != filter.Strict
			if got := doctor.Examine(parsed(t, bootstrap(t, o)), s); len(got) > 0 {
				t.Errorf("found %v in our own configuration", got)
			}
		})
	}
}

type processor = extprocv3.ExternalProcessor

// changes are what a configuration may have wrong, and how that is called.
var changes = []struct {
	name     string
	code     string
	severity doctor.Severity
	change   func(*bootstrapv3.Bootstrap)
}{
	{"no filter", "no-capture", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		editManager(b, func(m *hcmv3.HttpConnectionManager) { m.HttpFilters = m.HttpFilters[1:] })
	}},
	{"response trailers", "trailers-not-sent", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		editProcessor(b, func(p *processor) { p.ProcessingMode.ResponseTrailerMode = extprocv3.ProcessingMode_DEFAULT })
	}},
	{"request headers", "headers-not-sent", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		editProcessor(b, func(p *processor) { p.ProcessingMode.RequestHeaderMode = extprocv3.ProcessingMode_SKIP })
	}},
	{"no body", "body-not-sent", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		editProcessor(b, func(p *processor) { p.ProcessingMode.RequestBodyMode = extprocv3.ProcessingMode_NONE })
	}},
	{"streamed", "body-mode", doctor.Alters, func(b *bootstrapv3.Bootstrap) {
		editProcessor(b, func(p *processor) { p.ProcessingMode.ResponseBodyMode = extprocv3.ProcessingMode_STREAMED })
	}},
	{"fail open", "fail-open", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		editProcessor(b, func(p *processor) { p.FailureModeAllow = true })
	}},
	{"who answered", "attributes-missing", doctor.Doubts, func(b *bootstrapv3.Bootstrap) {
		editProcessor(b, func(p *processor) { p.ResponseAttributes = p.ResponseAttributes[1:] })
	}},
	{"headers kept back", "forward-rules", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		editProcessor(b, func(p *processor) { p.ForwardRules = &extprocv3.HeaderForwardingRules{} })
	}},
	{"short message timeout", "message-timeout", doctor.Holds, func(b *bootstrapv3.Bootstrap) {
		editProcessor(b, func(p *processor) { p.MessageTimeout = nil })
	}},
	{"stream timeout", "stream-timeout", doctor.Holds, func(b *bootstrapv3.Bootstrap) {
		editProcessor(b, func(p *processor) { p.GrpcService.Timeout = durationpb.New(time.Minute) })
	}},
	{"no override", "no-mode-override", doctor.Holds, func(b *bootstrapv3.Bootstrap) {
		editProcessor(b, func(p *processor) { p.AllowModeOverride = false })
	}},
	{"mutations", "mutations-unchecked", doctor.Alters, func(b *bootstrapv3.Bootstrap) {
		editProcessor(b, func(p *processor) { p.MutationRules = nil })
	}},
	{"disabled", "filter-disabled", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		editManager(b, func(m *hcmv3.HttpConnectionManager) { m.HttpFilters[0].Disabled = true })
	}},
	{"stock name", "stock-name", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		editManager(b, func(m *hcmv3.HttpConnectionManager) { m.HttpFilters[0].Name = "envoy.filters.http.ext_proc" })
	}},
	{"a filter behind", "filters-behind", doctor.Alters, func(b *bootstrapv3.Bootstrap) {
		editManager(b, func(m *hcmv3.HttpConnectionManager) {
			buffer := &hcmv3.HttpFilter{Name: "buffer", ConfigType: &hcmv3.HttpFilter_TypedConfig{
				TypedConfig: packed(&bufferv3.Buffer{MaxRequestBytes: wrapperspb.UInt32(1)}),
			}}
			m.HttpFilters = slices.Insert(m.HttpFilters, 1, buffer)
		})
	}},
	{"router's headers", "router-headers", doctor.Alters, func(b *bootstrapv3.Bootstrap) {
		editManager(b, func(m *hcmv3.HttpConnectionManager) {
			edit(m.HttpFilters[1].GetTypedConfig(), &routerv3.Router{}, func(r *routerv3.Router) { r.SuppressEnvoyHeaders = false })
		})
	}},
	{"request timeout", "request-timeout", doctor.Holds, func(b *bootstrapv3.Bootstrap) {
		editManager(b, func(m *hcmv3.HttpConnectionManager) { m.RequestTimeout = durationpb.New(time.Second) })
	}},
	{"idle timeout", "idle-timeout", doctor.Holds, func(b *bootstrapv3.Bootstrap) {
		editManager(b, func(m *hcmv3.HttpConnectionManager) { m.StreamIdleTimeout = durationpb.New(time.Second) })
	}},
	{"stream duration", "stream-duration", doctor.Holds, func(b *bootstrapv3.Bootstrap) {
		editManager(b, func(m *hcmv3.HttpConnectionManager) {
			m.CommonHttpProtocolOptions = &corev3.HttpProtocolOptions{MaxStreamDuration: durationpb.New(time.Minute)}
		})
	}},
	{"HTTP/1.1 trailers", "http1-trailers", doctor.Alters, func(b *bootstrapv3.Bootstrap) {
		editManager(b, func(m *hcmv3.HttpConnectionManager) { m.HttpProtocolOptions = nil })
	}},
	{"the pipeline's trailers", "http1-trailers", doctor.Doubts, func(b *bootstrapv3.Bootstrap) {
		clusterOf(b, filter.PipelineCluster).TypedExtensionProtocolOptions = nil
	}},
	{"upgrade", "upgrade-unseen", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		editManager(b, func(m *hcmv3.HttpConnectionManager) {
			m.UpgradeConfigs = []*hcmv3.HttpConnectionManager_UpgradeConfig{{UpgradeType: "websocket", Filters: m.HttpFilters[1:]}}
		})
	}},
	{"small buffer", "buffer-limit", doctor.Holds, func(b *bootstrapv3.Bootstrap) {
		b.GetStaticResources().GetListeners()[0].PerConnectionBufferLimitBytes = nil
	}},
	{"small buffer of the route", "buffer-limit", doctor.Holds, func(b *bootstrapv3.Bootstrap) {
		editRoute(b, func(_ *routev3.VirtualHost, r *routev3.Route) { r.RequestBodyBufferLimit = wrapperspb.UInt64(1) })
	}},
	{"small buffer of the cluster", "buffer-limit", doctor.Holds, func(b *bootstrapv3.Bootstrap) {
		clusterOf(b, filter.PipelineCluster).PerConnectionBufferLimitBytes = wrapperspb.UInt32(1000)
	}},
	{"breakers", "circuit-breakers", doctor.Holds, func(b *bootstrapv3.Bootstrap) {
		clusterOf(b, filter.PipelineCluster).CircuitBreakers = nil
	}},
	{"the sidecar's breakers", "circuit-breakers", doctor.Holds, func(b *bootstrapv3.Bootstrap) {
		clusterOf(b, filter.SidecarCluster).CircuitBreakers = nil
	}},
	{"two sidecars", "several-sidecars", doctor.Doubts, func(b *bootstrapv3.Bootstrap) { twice(clusterOf(b, filter.SidecarCluster)) }},
	{"two pipelines", "several-pipelines", doctor.Doubts, func(b *bootstrapv3.Bootstrap) { twice(clusterOf(b, filter.PipelineCluster)) }},
	{"retries", "retries", doctor.Doubts, func(b *bootstrapv3.Bootstrap) {
		editRoute(b, func(_ *routev3.VirtualHost, r *routev3.Route) {
			r.GetRoute().RetryPolicy = &routev3.RetryPolicy{RetryOn: "5xx"}
		})
	}},
	{"hedging", "retries", doctor.Doubts, func(b *bootstrapv3.Bootstrap) {
		editRoute(b, func(h *routev3.VirtualHost, _ *routev3.Route) { h.HedgePolicy = &routev3.HedgePolicy{} })
	}},
	{"mirror", "mirror", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		editRoute(b, func(_ *routev3.VirtualHost, r *routev3.Route) {
			r.GetRoute().RequestMirrorPolicies = []*routev3.RouteAction_RequestMirrorPolicy{{Cluster: filter.PipelineCluster}}
		})
	}},
	{"a rewritten path", "route-rewrites", doctor.Alters, func(b *bootstrapv3.Bootstrap) {
		editRoute(b, func(_ *routev3.VirtualHost, r *routev3.Route) { r.GetRoute().PrefixRewrite = "/v2/" })
	}},
	{"a rewritten host", "route-rewrites", doctor.Alters, func(b *bootstrapv3.Bootstrap) {
		editRoute(b, func(_ *routev3.VirtualHost, r *routev3.Route) {
			r.GetRoute().HostRewriteSpecifier = &routev3.RouteAction_HostRewriteLiteral{HostRewriteLiteral: "h"}
		})
	}},
	{"added headers", "route-headers", doctor.Alters, func(b *bootstrapv3.Bootstrap) {
		editRoute(b, func(h *routev3.VirtualHost, _ *routev3.Route) { h.RequestHeadersToRemove = []string{"x-secret"} })
	}},
	{"a route disables it", "route-disables-capture", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		perRoute(b, &extprocv3.ExtProcPerRoute{Override: &extprocv3.ExtProcPerRoute_Disabled{Disabled: true}})
	}},
	{"a route disables it in general", "route-disables-capture", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		perRoute(b, &routev3.FilterConfig{Disabled: true})
	}},
	{"a route changes it", "route-overrides-capture", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		perRoute(b, &extprocv3.ExtProcPerRoute{Override: &extprocv3.ExtProcPerRoute_Overrides{Overrides: &extprocv3.ExtProcOverrides{}}})
	}},
	{"a listener without it", "detour", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		second := secondListener(b)
		edit(second.GetFilterChains()[0].GetFilters()[0].GetTypedConfig(), &hcmv3.HttpConnectionManager{}, func(m *hcmv3.HttpConnectionManager) {
			m.HttpFilters = m.HttpFilters[1:]
		})
	}},
	{"a cluster with the same address", "detour", doctor.Loses, func(b *bootstrapv3.Bootstrap) {
		other := proto.Clone(clusterOf(b, filter.PipelineCluster)).(*clusterv3.Cluster)
		other.Name = "other"
		other.GetLoadAssignment().GetEndpoints()[0].GetLbEndpoints()[0].GetEndpoint().GetAddress().GetSocketAddress().Address = "localhost"
		b.StaticResources.Clusters = append(b.StaticResources.Clusters, other)
		tunnel(b, "other")
	}},
	{"a TCP proxy", "detour", doctor.Loses, func(b *bootstrapv3.Bootstrap) { tunnel(b, filter.PipelineCluster) }},
	{"a management server", "dynamic", doctor.Unseen, func(b *bootstrapv3.Bootstrap) {
		b.DynamicResources = &bootstrapv3.Bootstrap_DynamicResources{CdsConfig: &corev3.ConfigSource{}}
	}},
	{"a cluster chosen by header", "route-unnamed", doctor.Unseen, func(b *bootstrapv3.Bootstrap) {
		editRoute(b, func(_ *routev3.VirtualHost, r *routev3.Route) {
			r.GetRoute().ClusterSpecifier = &routev3.RouteAction_ClusterHeader{ClusterHeader: "x-cluster"}
		})
	}},
}

func perRoute(b *bootstrapv3.Bootstrap, m proto.Message) {
	editRoute(b, func(_ *routev3.VirtualHost, r *routev3.Route) {
		r.TypedPerFilterConfig = map[string]*anypb.Any{filter.Name: packed(m)}
	})
}

func twice(c *clusterv3.Cluster) {
	l := c.GetLoadAssignment().GetEndpoints()[0]
	second := proto.Clone(l.GetLbEndpoints()[0]).(*endpointv3.LbEndpoint)
	l.LbEndpoints = append(l.LbEndpoints, second)
}

func secondListener(b *bootstrapv3.Bootstrap) *listenerv3.Listener {
	l := proto.Clone(b.GetStaticResources().GetListeners()[0]).(*listenerv3.Listener)
	l.Name, l.GetAddress().GetSocketAddress().PortSpecifier = "second", &corev3.SocketAddress_PortValue{PortValue: 10001}
	b.StaticResources.Listeners = append(b.StaticResources.Listeners, l)
	return l
}

func tunnel(b *bootstrapv3.Bootstrap, cluster string) {
	secondListener(b).FilterChains = []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{{
		Name: "tcp", ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: packed(&tcpproxyv3.TcpProxy{
			StatPrefix: "tcp", ClusterSpecifier: &tcpproxyv3.TcpProxy_Cluster{Cluster: cluster},
		})},
	}}}}
}

// TestEachChangeIsFound makes one thing wrong at a time: it is found, and nothing
// else is.
func TestEachChangeIsFound(t *testing.T) {
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			b := bootstrap(t, filter.Bootstrap{})
			c.change(b)
			got := doctor.Examine(parsed(t, b), settings)
			if len(got) != 1 || got[0].Code != c.code || got[0].Severity != c.severity {
				t.Errorf("found %v, want %s (%s) alone", got, c.code, c.severity)
			}
		})
	}
}

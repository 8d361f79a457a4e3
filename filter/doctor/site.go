package doctor

import (
	"fmt"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	upstreamhttpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"verbatim/filter"
)

// protocolOptions is the key of a cluster's HTTP options.
const protocolOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

// site is one connection manager.
type site struct {
	where    string
	listener *listenerv3.Listener
	manager  *hcmv3.HttpConnectionManager
	capture  *processor // nil: it does not capture
	routes   *routev3.RouteConfiguration
}

// processor is a filter that calls the sidecar.
type processor struct {
	where    string
	name     string
	config   *extprocv3.ExternalProcessor
	disabled bool
	at       int  // index among its filters
	upstream bool // behind the router
}

// tunnel is what carries octets to a cluster without looking at them.
type tunnel struct{ where, cluster string }

func (s *site) routesFrom() string {
	if name := s.manager.GetRds().GetRouteConfigName(); name != "" {
		return name
	}
	return "scoped routes"
}

// locate finds the connection managers, and where traffic is captured.
func (x *examination) locate() {
	x.captured, x.upstream = map[string]bool{}, map[string]*processor{}
	for _, l := range x.config.Listeners {
		chains := l.GetFilterChains()
		if d := l.GetDefaultFilterChain(); d != nil {
			chains = append(chains[:len(chains):len(chains)], d)
		}
		for i, chain := range chains {
			where := "listener " + l.GetName()
			if len(chains) > 1 {
				where += fmt.Sprintf(", filter chain %d", i+1)
			}
			for _, f := range chain.GetFilters() {
				x.network(where, l, f.GetTypedConfig())
			}
		}
	}
	for _, cl := range x.config.Clusters {
		var options upstreamhttpv3.HttpProtocolOptions
		if unpack(cl.GetTypedExtensionProtocolOptions()[protocolOptions], &options) {
			if p := x.processorIn("cluster "+cl.GetName(), options.GetHttpFilters()); p != nil {
				p.upstream = true
				x.upstream[cl.GetName()], x.captured[cl.GetName()] = p, true
			}
		}
	}
}

func (x *examination) network(where string, l *listenerv3.Listener, config *anypb.Any) {
	var proxy tcpproxyv3.TcpProxy
	if unpack(config, &proxy) {
		x.tunnels = append(x.tunnels, tunnel{where, proxy.GetCluster()})
		for _, c := range proxy.GetWeightedClusters().GetClusters() {
			x.tunnels = append(x.tunnels, tunnel{where, c.GetName()})
		}
		return
	}
	manager := &hcmv3.HttpConnectionManager{}
	if !unpack(config, manager) {
		return
	}
	s := &site{where: where, listener: l, manager: manager, capture: x.processorIn(where, manager.GetHttpFilters())}
	s.routes = manager.GetRouteConfig()
	if s.routes == nil {
		s.routes = x.config.Routes[manager.GetRds().GetRouteConfigName()]
	}
	x.sites = append(x.sites, s)
	behind := x.behindRouter(s)
	for _, r := range routesOf(s.routes) {
		for _, name := range r.clusters() {
			if s.capture != nil {
				x.captured[name] = true
			}
			if behind != nil {
				x.upstream[name], x.captured[name] = behind, true
			}
		}
	}
}

// behindRouter is the capture among the router's own filters.
func (x *examination) behindRouter(s *site) *processor {
	for _, f := range s.manager.GetHttpFilters() {
		var router routerv3.Router
		if unpack(f.GetTypedConfig(), &router) {
			if p := x.processorIn(s.where+", router", router.GetUpstreamHttpFilters()); p != nil {
				p.upstream = true
				return p
			}
		}
	}
	return nil
}

// processorIn finds the filter that calls the sidecar.
func (x *examination) processorIn(where string, filters []*hcmv3.HttpFilter) *processor {
	for i, f := range filters {
		config := &extprocv3.ExternalProcessor{}
		if unpack(f.GetTypedConfig(), config) && x.callsSidecar(f.GetName(), config) {
			return &processor{where: where + ", filter " + f.GetName(), name: f.GetName(), config: config, disabled: f.GetDisabled(), at: i}
		}
	}
	return nil
}

func (x *examination) callsSidecar(name string, config *extprocv3.ExternalProcessor) bool {
	cluster := config.GetGrpcService().GetEnvoyGrpc().GetClusterName()
	if x.settings.Socket == "" {
		return name == filter.Name || cluster == filter.SidecarCluster
	}
	cl := x.config.cluster(cluster)
	if cl == nil {
		return false
	}
	for _, e := range x.config.endpoints(cl) {
		if e.pipe == x.settings.Socket {
			return true
		}
	}
	return false
}

// unpack says whether a is a message of into's type.
func unpack(a *anypb.Any, into proto.Message) bool {
	return a.MessageIs(into) && a.UnmarshalTo(into) == nil
}

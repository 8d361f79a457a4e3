package doctor

import (
	"fmt"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// readDump takes from a /config_dump what is in force.
func (c *Config) readDump(tree any) error {
	dump := &adminv3.ConfigDump{}
	if err := unmarshal(tree, dump); err != nil {
		return err
	}
	c.Running, c.Endpoints = true, map[string]*endpointv3.ClusterLoadAssignment{}
	for _, part := range dump.GetConfigs() {
		m, err := part.UnmarshalNew()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrConfig, err)
		}
		switch p := m.(type) {
		case *adminv3.ListenersConfigDump:
			err = c.readListeners(p)
		case *adminv3.ClustersConfigDump:
			err = c.readClusters(p)
		case *adminv3.RoutesConfigDump:
			err = c.readRoutes(p)
		case *adminv3.EndpointsConfigDump:
			err = c.readEndpoints(p)
		case *adminv3.ScopedRoutesConfigDump:
			c.Dynamic = c.Dynamic || len(p.GetInlineScopedRouteConfigs())+len(p.GetDynamicScopedRouteConfigs()) > 0
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) readListeners(p *adminv3.ListenersConfigDump) error {
	var packed []*anypb.Any
	for _, l := range p.GetStaticListeners() {
		packed = append(packed, l.GetListener())
	}
	for _, l := range p.GetDynamicListeners() {
		packed = append(packed, l.GetActiveState().GetListener())
	}
	return each(packed, func() *listenerv3.Listener { return &listenerv3.Listener{} },
		func(l *listenerv3.Listener) { c.Listeners = append(c.Listeners, l) })
}

func (c *Config) readClusters(p *adminv3.ClustersConfigDump) error {
	var packed []*anypb.Any
	for _, cl := range p.GetStaticClusters() {
		packed = append(packed, cl.GetCluster())
	}
	for _, cl := range p.GetDynamicActiveClusters() {
		packed = append(packed, cl.GetCluster())
	}
	return each(packed, func() *clusterv3.Cluster { return &clusterv3.Cluster{} },
		func(cl *clusterv3.Cluster) { c.Clusters = append(c.Clusters, cl) })
}

func (c *Config) readRoutes(p *adminv3.RoutesConfigDump) error {
	var packed []*anypb.Any
	for _, r := range p.GetStaticRouteConfigs() {
		packed = append(packed, r.GetRouteConfig())
	}
	for _, r := range p.GetDynamicRouteConfigs() {
		packed = append(packed, r.GetRouteConfig())
	}
	return each(packed, func() *routev3.RouteConfiguration { return &routev3.RouteConfiguration{} },
		func(r *routev3.RouteConfiguration) { c.Routes[r.GetName()] = r })
}

func (c *Config) readEndpoints(p *adminv3.EndpointsConfigDump) error {
	var packed []*anypb.Any
	for _, e := range p.GetStaticEndpointConfigs() {
		packed = append(packed, e.GetEndpointConfig())
	}
	for _, e := range p.GetDynamicEndpointConfigs() {
		packed = append(packed, e.GetEndpointConfig())
	}
	return each(packed, func() *endpointv3.ClusterLoadAssignment { return &endpointv3.ClusterLoadAssignment{} },
		func(e *endpointv3.ClusterLoadAssignment) { c.Endpoints[e.GetClusterName()] = e })
}

// each unpacks messages of one kind; one that is absent is passed over.
func each[M proto.Message](packed []*anypb.Any, empty func() M, take func(M)) error {
	for _, p := range packed {
		if p == nil {
			continue
		}
		m := empty()
		if err := p.UnmarshalTo(m); err != nil {
			return fmt.Errorf("%w: %w", ErrConfig, err)
		}
		take(m)
	}
	return nil
}

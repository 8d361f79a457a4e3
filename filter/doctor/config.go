package doctor

import (
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// Config is what an Envoy is configured to do, from its admin endpoint or a file.
type Config struct {
	// Version is the running Envoy's, such as "1.40.0"; empty: not known.
	Version string
	// Running says that it comes from a running Envoy, so that what its management
	// server gave is in it.
	Running   bool
	Listeners []*listenerv3.Listener
	Clusters  []*clusterv3.Cluster
	// Routes are those that a connection manager refers to by name.
	Routes map[string]*routev3.RouteConfiguration
	// Endpoints are those that came apart from their cluster, by its name.
	Endpoints map[string]*endpointv3.ClusterLoadAssignment
	// Unknown are the types of messages that this program can't read, sorted.
	Unknown []string
	// Dynamic says that more comes from a management server which is not in here.
	Dynamic bool
}

func (c *Config) cluster(name string) *clusterv3.Cluster {
	for _, cl := range c.Clusters {
		if cl.GetName() == name {
			return cl
		}
	}
	return nil
}

// endpoints are the addresses of a cluster.
func (c *Config) endpoints(cl *clusterv3.Cluster) []endpoint {
	assignment := cl.GetLoadAssignment()
	for _, name := range []string{cl.GetEdsClusterConfig().GetServiceName(), cl.GetName()} {
		if a, ok := c.Endpoints[name]; ok && assignment == nil {
			assignment = a
		}
	}
	var list []endpoint
	for _, l := range assignment.GetEndpoints() {
		for _, e := range l.GetLbEndpoints() {
			address := e.GetEndpoint().GetAddress()
			if pipe := address.GetPipe().GetPath(); pipe != "" {
				list = append(list, endpoint{pipe: pipe})
			} else if s := address.GetSocketAddress(); s != nil {
				list = append(list, endpoint{host: s.GetAddress(), port: s.GetPortValue()})
			}
		}
	}
	return list
}

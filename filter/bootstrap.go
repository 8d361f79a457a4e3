// Package filter builds Envoy's side of the capture: the ext_proc filter, the
// cluster of the sidecar that it calls, and a complete bootstrap around them,
// all as go-control-plane messages.
//
// It guarantees that every message has passed its own ValidateAll, that a
// request reaches the pipeline at most once (no retries, also none that a
// client asks for by header), and that what the filter sees of a request is
// what the pipeline gets. It does not start Envoy, and it does not look
// whether an address is in use or a socket exists.
package filter

import (
	"fmt"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Names of what a bootstrap holds. Envoy's admin endpoints report them.
const (
	// ListenerName is the listener that clients connect to.
	ListenerName = "ingress"
	// PipelineCluster is the cluster of the captured pipeline.
	PipelineCluster = "pipeline"
	// HCMStatPrefix begins the connection manager's counters:
	// http.verbatim.downstream_rq_total and so on.
	HCMStatPrefix = "verbatim"
)

// DefaultRouteTimeout bounds the wait for the pipeline's whole answer, counted
// from when the pipeline was sent the whole request. It is Envoy's default.
const DefaultRouteTimeout = 15 * time.Second

// Bootstrap describes one Envoy in front of one pipeline. The zero value is
// not usable: the three addresses are needed.
type Bootstrap struct {
	// Listen is where clients connect, IP:port. Port 0 lets the kernel choose.
	Listen string
	// Admin is Envoy's admin endpoint, IP:port. Port 0 lets the kernel choose.
	Admin string
	// Pipeline is host:port. A host that is not an IP address is resolved by
	// Envoy through DNS.
	Pipeline string
	// PipelineProtocol is what Envoy speaks to the pipeline, in clear text.
	PipelineProtocol Protocol
	// Capture is the recording. Nil gives a plain proxy that is otherwise the same.
	Capture *Capture
	// RouteTimeout bounds the pipeline's answer; 0 means DefaultRouteTimeout.
	// Time that a request waits in the sidecar does not count.
	RouteTimeout time.Duration
}

// Proto returns the bootstrap as Envoy reads it. An error names the setting
// that is wrong.
func (b Bootstrap) Proto() (*bootstrapv3.Bootstrap, error) {
	if b.RouteTimeout < 0 {
		return nil, fmt.Errorf("route timeout %v is negative: give a positive duration", b.RouteTimeout)
	}
	if b.RouteTimeout == 0 {
		b.RouteTimeout = DefaultRouteTimeout
	}
	admin, err := bindAddress("admin", b.Admin)
	if err != nil {
		return nil, err
	}
	listener, err := b.listener()
	if err != nil {
		return nil, err
	}
	clusters, err := b.clusters()
	if err != nil {
		return nil, err
	}
	m := &bootstrapv3.Bootstrap{
		Admin: &bootstrapv3.Admin{Address: admin},
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{
			Listeners: []*listenerv3.Listener{listener},
			Clusters:  clusters,
		},
	}
	if b.Capture != nil {
		if m.OverloadManager, err = b.overload(); err != nil {
			return nil, err
		}
	}
	if b.Capture != nil && b.Capture.Profile == Observe {
		if m.LayeredRuntime, err = withoutBackPressure(); err != nil {
			return nil, err
		}
	}
	if err := m.ValidateAll(); err != nil {
		return nil, fmt.Errorf("validate bootstrap: %w", err)
	}
	return m, nil
}

func (b Bootstrap) listener() (*listenerv3.Listener, error) {
	address, err := bindAddress("listen", b.Listen)
	if err != nil {
		return nil, err
	}
	manager, err := b.connectionManager()
	if err != nil {
		return nil, err
	}
	config, err := pack(manager)
	if err != nil {
		return nil, err
	}
	return &listenerv3.Listener{
		Name:                          ListenerName,
		Address:                       address,
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(b.maxEventBytes()),
		FilterChains: []*listenerv3.FilterChain{{
			Filters: []*listenerv3.Filter{{
				Name:       "envoy.filters.network.http_connection_manager",
				ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: config},
			}},
		}},
	}, nil
}

func (b Bootstrap) clusters() ([]*clusterv3.Cluster, error) {
	pipeline, err := b.pipelineCluster()
	if err != nil {
		return nil, err
	}
	clusters := []*clusterv3.Cluster{pipeline}
	if b.Capture != nil {
		sidecar, err := b.Capture.Cluster()
		if err != nil {
			return nil, err
		}
		clusters = append(clusters, sidecar)
	}
	return clusters, nil
}

// httpFilters puts the capture last before the router, so that no later filter
// changes what was recorded.
func (b Bootstrap) httpFilters() ([]*hcmv3.HttpFilter, error) {
	router, err := routerFilter()
	if err != nil {
		return nil, err
	}
	if b.Capture == nil || b.Capture.Position == Upstream {
		return []*hcmv3.HttpFilter{router}, nil
	}
	capture, err := b.Capture.HTTPFilters()
	if err != nil {
		return nil, err
	}
	return append(capture, router), nil
}

// maxEventBytes is the buffer limit throughout. A plain proxy has it too, so
// that a comparison with and without the capture compares the capture alone.
func (b Bootstrap) maxEventBytes() uint32 {
	if b.Capture == nil || b.Capture.MaxEventBytes == 0 {
		return DefaultMaxEventBytes
	}
	return b.Capture.MaxEventBytes
}

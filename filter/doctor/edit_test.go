package doctor_test

import (
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"verbatim/filter"
	"verbatim/filter/doctor"
)

const socket = "/run/verbatim/verbatim.sock"

// bootstrap is what `verbatim config envoy` prints.
func bootstrap(t *testing.T, o filter.Bootstrap) *bootstrapv3.Bootstrap {
	t.Helper()
	o.Listen, o.Admin, o.Pipeline = "127.0.0.1:10000", "127.0.0.1:9901", "127.0.0.1:8080"
	if o.Capture == nil {
		o.Capture = &filter.Capture{Sidecar: socket}
	}
	b, err := o.Proto()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parsed reads b as a file would hold it.
func parsed(t *testing.T, b *bootstrapv3.Bootstrap) doctor.Config {
	t.Helper()
	text, err := filter.YAML(b)
	if err != nil {
		t.Fatal(err)
	}
	c, err := doctor.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// edit changes a message that is packed into a.
func edit[M proto.Message](a *anypb.Any, m M, change func(M)) {
	if err := a.UnmarshalTo(m); err != nil {
		panic(err)
	}
	change(m)
	if err := a.MarshalFrom(m); err != nil {
		panic(err)
	}
}

func editManager(b *bootstrapv3.Bootstrap, change func(*hcmv3.HttpConnectionManager)) {
	edit(b.GetStaticResources().GetListeners()[0].GetFilterChains()[0].GetFilters()[0].GetTypedConfig(), &hcmv3.HttpConnectionManager{}, change)
}

func editProcessor(b *bootstrapv3.Bootstrap, change func(*extprocv3.ExternalProcessor)) {
	editManager(b, func(m *hcmv3.HttpConnectionManager) {
		edit(m.GetHttpFilters()[0].GetTypedConfig(), &extprocv3.ExternalProcessor{}, change)
	})
}

func editRoute(b *bootstrapv3.Bootstrap, change func(*routev3.VirtualHost, *routev3.Route)) {
	editManager(b, func(m *hcmv3.HttpConnectionManager) {
		h := m.GetRouteConfig().GetVirtualHosts()[0]
		change(h, h.GetRoutes()[0])
	})
}

func clusterOf(b *bootstrapv3.Bootstrap, name string) *clusterv3.Cluster {
	for _, c := range b.GetStaticResources().GetClusters() {
		if c.GetName() == name {
			return c
		}
	}
	return nil
}

func packed(m proto.Message) *anypb.Any {
	a, err := anypb.New(m)
	if err != nil {
		panic(err)
	}
	return a
}

package e2e

import (
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

const (
	// stallTimeout is Envoy's bound on answers that the pipeline does not give.
	stallTimeout = 300 * time.Millisecond
	// answerTimeout is its bound on all others.
	answerTimeout = 30 * time.Second
)

// startEnvoy starts one that has a short timeout for what is to stall.
func (s *stress) startEnvoy() {
	s.t.Helper()
	bootstrap, err := filter.Bootstrap{
		Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Pipeline: s.options.upstream, PipelineProtocol: s.options.protocol,
		RouteTimeout: answerTimeout, Capture: &filter.Capture{Sidecar: s.socket(), MaxBytesInFlight: stressRoom},
	}.Proto()
	if err != nil {
		s.t.Fatal(err)
	}
	config := bootstrap.GetStaticResources().GetListeners()[0].GetFilterChains()[0].GetFilters()[0].GetTypedConfig()
	change(s.t, config, func(manager *hcmv3.HttpConnectionManager) {
		host := manager.GetRouteConfig().GetVirtualHosts()[0]
		for _, fault := range []string{faultStall, faultHalfStall} {
			short := proto.CloneOf(host.GetRoutes()[len(host.GetRoutes())-1])
			short.Match.Headers = []*routev3.HeaderMatcher{exactly("x-fault", fault)}
			short.GetRoute().Timeout = durationpb.New(stallTimeout)
			host.Routes = append([]*routev3.Route{short}, host.Routes...)
		}
	})
	yaml, err := filter.YAML(bootstrap)
	if err != nil {
		s.t.Fatal(err)
	}
	s.envoy = mesh.StartTestEnvoy(s.t, mesh.EnvoyOptions{Dir: s.t.TempDir(), Concurrency: 2, YAML: yaml})
	s.see()
	s.door.open(s.envoy.Addr)
}

// exactly matches requests that have a header with a value.
func exactly(name, value string) *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{Name: name, HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{
		StringMatch: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: value}},
	}}
}

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

// internalEnvoy is a captured Envoy that takes loopback clients for internal
// ones, as a mesh may.
func internalEnvoy(t *testing.T, b filter.Bootstrap) *mesh.Envoy {
	t.Helper()
	b.Listen, b.Admin = "127.0.0.1:0", "127.0.0.1:0"
	m, err := b.Proto()
	if err != nil {
		t.Fatal(err)
	}
	config := m.GetStaticResources().GetListeners()[0].GetFilterChains()[0].GetFilters()[0].GetTypedConfig()
	var manager hcmv3.HttpConnectionManager
	if err := config.UnmarshalTo(&manager); err != nil {
		t.Fatal(err)
	}
	manager.UseRemoteAddress, manager.SkipXffAppend, manager.XffNumTrustedHops = wrapperspb.Bool(true), true, 0
	manager.InternalAddressConfig = &hcmv3.HttpConnectionManager_InternalAddressConfig{
		CidrRanges: []*corev3.CidrRange{{AddressPrefix: "127.0.0.0", PrefixLen: wrapperspb.UInt32(8)}},
	}
	changed, err := anypb.New(&manager)
	if err != nil {
		t.Fatal(err)
	}
	config.Value = changed.GetValue()
	yaml, err := filter.YAML(m)
	if err != nil {
		t.Fatal(err)
	}
	return mesh.StartTestEnvoy(t, mesh.EnvoyOptions{YAML: yaml})
}

// routerReads are the headers that Envoy's router takes from an internal client
// and does not pass on.
var routerReads = []string{
	"x-envoy-hedge-on-per-try-timeout: true", "x-envoy-max-retries: 3", "x-envoy-retriable-header-names: x-a",
	"x-envoy-retriable-status-codes: 500", "x-envoy-retry-grpc-on: internal", "x-envoy-retry-on: 5xx",
	"x-envoy-upstream-alt-stat-name: a", "x-envoy-upstream-rq-per-try-timeout-ms: 9000",
	"x-envoy-upstream-rq-timeout-alt-response: 1", "x-envoy-upstream-rq-timeout-ms: 9000", "x-envoy-upstream-stream-duration-ms: 9000",
}

// otherEnvoyHeaders pass, or are gone before the capture.
const otherEnvoyHeaders = "x-envoy-expected-rq-timeout-ms: 1\r\nx-envoy-attempt-count: 1\r\nx-envoy-is-timeout-retry: true\r\n" +
	"x-envoy-decorator-operation: a\r\nx-envoy-force-trace: true\r\nx-envoy-ip-tags: a\r\nx-envoy-original-path: /o\r\n" +
	"x-envoy-original-host: o\r\nx-envoy-external-address: 192.0.2.1\r\nx-envoy-downstream-service-cluster: c\r\ngrpc-timeout: 9S"

// TestWireInternalClient sends headers for the router, which reads and removes
// them after the capture saw them: what is recorded is what the pipeline gets.
func TestWireInternalClient(t *testing.T) { inPlaces(t, behindRouter, internalClient) }

func internalClient(t *testing.T, p wirePlace) {
	for _, protocol := range []filter.Protocol{filter.H1, filter.H2} {
		t.Run(protocol.String(), func(t *testing.T) { internalClientOf(t, p, protocol) })
	}
}

func internalClientOf(t *testing.T, p wirePlace, protocol filter.Protocol) {
	pipeline := startWirePipeline(t, p, protocol)
	s := prepareSite(t, p.options(siteOptions{upstream: pipeline.addr, protocol: protocol}, "meter"))
	s.startSidecar()
	capture := s.options.capture
	capture.Sidecar = s.socket()
	s.envoy = internalEnvoy(t, filter.Bootstrap{Pipeline: pipeline.addr, PipelineProtocol: protocol, Capture: &capture})
	requests := append([]string{strings.Join(routerReads, "\r\n"), otherEnvoyHeaders}, routerReads...)
	for _, lines := range requests {
		raw := fmt.Sprintf("GET /i HTTP/1.1\r\nhost: h\r\nx-a: 1\r\n%s\r\nx-envoy-other: 2\r\n\r\n", lines)
		if status, body := askWire(t, s.envoy.Addr, []byte(raw)); status != http.StatusOK {
			t.Errorf("%q: status %d, %q", lines, status, body)
		}
	}
	p.stop(s, len(requests))
	got, recorded := pipeline.lists(), p.exchanges(s)
	if len(got) != len(requests) || len(recorded) != len(requests) {
		t.Fatalf("the pipeline got %d requests, the log has %d, want %d of each", len(got), len(recorded), len(requests))
	}
	for i, x := range recorded {
		if list := linesOf(x.request.GetHeaders()); !slices.Equal(got[i], list) {
			t.Errorf("%q: the pipeline got\n%q, recorded\n%q", requests[i], got[i], list)
		}
		if kept := slices.ContainsFunc(got[i], func(l string) bool { return slices.Contains(routerReads, l) }); kept {
			t.Errorf("the router passes on some of %q: the pipeline got %q", requests[i], got[i])
		}
	}
	replayed := startWirePipeline(t, p, protocol)
	checkReplay(t, s, replayed.url, len(requests))
	if again := inTime(p, replayed.lists(), clockOf); !slices.EqualFunc(got, again, slices.Equal) {
		t.Errorf("the pipeline got\n%q when captured,\n%q at the replay", got, again)
	}
}

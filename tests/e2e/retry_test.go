package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"verbatim/filter"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/tests/mesh"
)

// retrying is the bootstrap of a site whose operator has set a retry policy.
func retrying(t *testing.T, s *site) []byte {
	t.Helper()
	b, err := filter.Bootstrap{
		Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Pipeline: s.options.upstream, Capture: &filter.Capture{Sidecar: s.socket()},
	}.Proto()
	if err != nil {
		t.Fatal(err)
	}
	config := b.GetStaticResources().GetListeners()[0].GetFilterChains()[0].GetFilters()[0].GetTypedConfig()
	manager := &hcmv3.HttpConnectionManager{}
	if err := config.UnmarshalTo(manager); err != nil {
		t.Fatal(err)
	}
	manager.GetRouteConfig().GetVirtualHosts()[0].RetryPolicy = &routev3.RetryPolicy{
		RetryOn: "5xx,reset", NumRetries: wrapperspb.UInt32(3),
	}
	packed, err := anypb.New(manager)
	if err != nil {
		t.Fatal(err)
	}
	config.Value = packed.GetValue()
	for _, c := range b.GetStaticResources().GetClusters() {
		c.CircuitBreakers.Thresholds[0].MaxRetries = wrapperspb.UInt32(10)
	}
	out, err := filter.YAML(b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRetriesAreCounted: in front of the router one exchange is seen, whatever
// number of times Envoy sends it; the last answer has the number.
func TestRetriesAreCounted(t *testing.T) {
	var calls atomic.Int32
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := calls.Add(1); {
		case r.URL.Path == "/never" || r.URL.Path == "/third" && n == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/third" && n == 2:
			panic(http.ErrAbortHandler) // the connection is reset
		}
	})
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s := prepareSite(t, siteOptions{upstream: server.Listener.Addr().String()})
	s.startSidecar()
	s.envoy = mesh.StartTestEnvoy(t, mesh.EnvoyOptions{Dir: t.TempDir(), YAML: retrying(t, s)})
	for _, c := range []struct {
		path   string
		status int
		calls  int32
	}{{"/once", 200, 1}, {"/third", 200, 3}, {"/never", 503, 4}} {
		calls.Store(0)
		if status, _ := getPage(t, "http://"+s.envoy.Addr+c.path); status != c.status || calls.Load() != c.calls {
			t.Errorf("%s: status %d after %d calls, want %d after %d", c.path, status, calls.Load(), c.status, c.calls)
		}
	}
	s.stop()
	var attempts []uint32
	eachEvent(t, s.log, 0, func(_ auditlog.Entry, ev *logv1.Event) bool {
		if r := ev.GetResponse(); r != nil {
			attempts = append(attempts, r.GetAttemptCount())
			if r.GetLocalReply() != nil {
				t.Errorf("local reply %v", r.GetLocalReply())
			}
		}
		return true
	})
	if len(attempts) != 3 || attempts[0] != 1 || attempts[1] != 3 || attempts[2] != 4 {
		t.Errorf("attempts %v, want 1, 3, 4", attempts)
	}
	// A replay sends once what this pipeline answered at the third time only.
	calls.Store(0)
	fresh := httptest.NewServer(handler)
	t.Cleanup(fresh.Close)
	var v verdict
	s.runJSON(2, &v, "replay", "--log", s.log, "--target", fresh.URL)
	if d := v.Divergence; v.Result != "CANNOT_TELL" || d == nil ||
		!strings.Contains(v.Reason, fmt.Sprintf("after request %d, which Envoy tried 3 times: ", d.RequestOffset)) {
		t.Errorf("verdict %+v", v)
	}
}

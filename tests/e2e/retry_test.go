package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"verbatim/filter"
	"verbatim/sidecar/output"
	"verbatim/tests/mesh"
)

// flaky is a pipeline whose answers a path lists, such as "/503,reset,200": one for each
// call, the last for all that follow.
type flaky struct {
	addr string

	mu    sync.Mutex
	calls map[string][]http.Header // by path
}

// startFlaky starts one that gives 200 a body.
func startFlaky(t *testing.T, protocol filter.Protocol, body string) *flaky {
	t.Helper()
	f := &flaky{calls: map[string][]http.Header{}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		n := len(f.calls[r.URL.Path])
		f.calls[r.URL.Path] = append(f.calls[r.URL.Path], r.Header)
		f.mu.Unlock()
		answers := strings.Split(r.URL.Path[1:], ",")
		answer := answers[min(n, len(answers)-1)]
		if answer == "reset" {
			panic(http.ErrAbortHandler)
		}
		status, err := strconv.Atoi(answer)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
		if status == http.StatusOK {
			_, _ = io.WriteString(w, body)
		}
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(protocol == filter.H1)
	server.Config.Protocols.SetUnencryptedHTTP2(protocol == filter.H2)
	server.Start()
	t.Cleanup(server.Close)
	f.addr = server.Listener.Addr().String()
	return f
}

func (f *flaky) got(path string) []http.Header {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[path]
}

// retrying is the bootstrap of a site whose operator has set a retry policy, and headers
// that the router adds.
func retrying(t *testing.T, s *site) []byte {
	t.Helper()
	capture := s.options.capture
	capture.Sidecar = s.socket()
	b, err := filter.Bootstrap{
		Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Pipeline: s.options.upstream, PipelineProtocol: s.options.protocol, Capture: &capture,
	}.Proto()
	if err != nil {
		t.Fatal(err)
	}
	config := b.GetStaticResources().GetListeners()[0].GetFilterChains()[0].GetFilters()[0].GetTypedConfig()
	change(t, config, func(m *hcmv3.HttpConnectionManager) {
		host := m.GetRouteConfig().GetVirtualHosts()[0]
		host.RetryPolicy = &routev3.RetryPolicy{RetryOn: "5xx,reset", NumRetries: wrapperspb.UInt32(3)}
		host.IncludeRequestAttemptCount = true
		for _, name := range []string{"x-added", "x-envoy-upstream-rq-timeout-ms"} {
			host.RequestHeadersToAdd = append(host.RequestHeadersToAdd, &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: name, Value: "7000"}})
		}
	})
	for _, c := range b.GetStaticResources().GetClusters() {
		c.CircuitBreakers.Thresholds[0].MaxRetries = wrapperspb.UInt32(10)
	}
	out, err := filter.YAML(b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// startRetrying starts a site whose Envoy tries again.
func startRetrying(t *testing.T, o siteOptions) *site {
	t.Helper()
	s := prepareSite(t, o)
	s.startSidecar()
	s.envoy = mesh.StartTestEnvoy(t, mesh.EnvoyOptions{Dir: t.TempDir(), YAML: retrying(t, s)})
	return s
}

// TestRetriesAreCounted: in front of the router one exchange is seen, whatever
// number of times Envoy sends it; the last answer has the number.
func TestRetriesAreCounted(t *testing.T) {
	server := startFlaky(t, filter.H1, "")
	s := startRetrying(t, siteOptions{upstream: server.addr})
	for _, c := range []struct {
		path   string
		status int
		calls  int
	}{{"/200", 200, 1}, {"/503,reset,200", 200, 3}, {"/503", 503, 4}} {
		if status, _ := getPage(t, "http://"+s.envoy.Addr+c.path); status != c.status || len(server.got(c.path)) != c.calls {
			t.Errorf("%s: status %d after %d calls, want %d after %d", c.path, status, len(server.got(c.path)), c.status, c.calls)
		}
	}
	s.stop()
	var attempts []uint32
	for _, x := range readExchanges(t, s.log) {
		attempts = append(attempts, x.response.GetAttemptCount())
		if x.response.GetLocalReply() != nil {
			t.Errorf("local reply %v", x.response.GetLocalReply())
		}
	}
	if !slices.Equal(attempts, []uint32{1, 3, 4}) {
		t.Errorf("attempts %v, want 1, 3, 4", attempts)
	}
	// A replay sends once what this pipeline answered at the third time only.
	var v verdict
	s.runJSON(2, &v, "replay", "--log", s.log, "--target", "http://"+startFlaky(t, filter.H1, "").addr)
	if d := v.Divergence; v.Result != "CANNOT_TELL" || d == nil ||
		!strings.Contains(v.Reason, fmt.Sprintf("after request %d, which Envoy tried 3 times: ", d.RequestOffset)) {
		t.Errorf("verdict %+v", v)
	}
}

// TestEachAttemptIsRecorded: behind the router each attempt is an exchange of its own,
// with its own clock and seed and with what the router adds. So a difference behind
// attempts that were answered is the pipeline's; behind one that was reset nobody can
// tell.
func TestEachAttemptIsRecorded(t *testing.T) {
	const answered, reset = "/503,200", "/503,reset,200"
	for path, c := range map[string]struct {
		outcomes []string
		// Of a pipeline that gives 200 another body: exit code, verdict, reason.
		exit            int
		verdict, reason string
	}{
		answered: {[]string{"503, attempt 1", "200, attempt 2"}, 1, "DIVERGENCE", "differs"},
		reset:    {[]string{"503, attempt 1", "DELIVERED_MAYBE", "200, attempt 3"}, 2, "CANNOT_TELL", "unfinished event"},
	} {
		for _, p := range []wirePlace{behindRouter, observingBehind} {
			t.Run(path[1:]+" "+p.name, func(t *testing.T) {
				server := startFlaky(t, filter.H2, "")
				s := startRetrying(t, p.options(siteOptions{upstream: server.addr, protocol: filter.H2}, "meter"))
				if status, _ := getPage(t, "http://"+s.envoy.Addr+path); status != http.StatusOK {
					t.Errorf("status %d", status)
				}
				p.stop(s, len(c.outcomes))
				got, recorded := server.got(path), readExchanges(t, s.log)
				slices.SortStableFunc(recorded, func(a, b *recordedExchange) int {
					return strings.Compare(a.header("x-envoy-attempt-count"), b.header("x-envoy-attempt-count"))
				})
				if len(got) != len(c.outcomes) || len(recorded) != len(c.outcomes) {
					t.Fatalf("the pipeline got %d requests, the log has %d, want %d of each", len(got), len(recorded), len(c.outcomes))
				}
				for i, x := range recorded {
					if outcome := outcomeOf(t, x); outcome != c.outcomes[i] {
						t.Errorf("attempt %d: %s, want %s", i+1, outcome, c.outcomes[i])
					}
					checkAdded(t, x, got[i], i+1)
				}
				if p.profile == filter.Observe {
					return // the order of attempts is only roughly known, and what they get depends on it
				}
				s.checkFlaky(0, "", "VERIFIED", "all 2 answers")
				s.checkFlaky(c.exit, "changed", c.verdict, c.reason)
			})
		}
	}
}

// checkFlaky replays the log into a pipeline that gives 200 a body.
func (s *site) checkFlaky(exit int, body, result, reason string) {
	s.t.Helper()
	var v verdict
	s.runJSON(exit, &v, "replay", "--log", s.log, "--target", "h2c://"+startFlaky(s.t, filter.H2, body).addr)
	if v.Result != result || !strings.Contains(v.Reason, reason) {
		s.t.Errorf("replayed: %+v, want %s: %s", v, result, reason)
	}
}

// outcomeOf is how an attempt ended, in words.
func outcomeOf(t *testing.T, x *recordedExchange) string {
	t.Helper()
	if x.response == nil {
		return x.abort.GetDelivered().String()
	}
	out, err := output.Decode(x.response.GetOutput())
	if err != nil || x.response.GetLocalReply() != nil {
		t.Errorf("output of %d: %v, local reply %v", x.offset, err, x.response.GetLocalReply())
	}
	return fmt.Sprintf("%d, attempt %d", out.GetStatus(), x.response.GetAttemptCount())
}

// checkAdded compares what the router added, and the clock and the seed, with what the
// pipeline got at an attempt.
func checkAdded(t *testing.T, x *recordedExchange, got http.Header, attempt int) {
	t.Helper()
	for name, want := range map[string]string{
		"x-added": "7000", "x-envoy-upstream-rq-timeout-ms": "7000", "x-envoy-attempt-count": strconv.Itoa(attempt),
		clockHeader: x.header(clockHeader), seedHeader: x.header(seedHeader),
	} {
		if got.Get(name) != want || x.header(name) != want || want == "" {
			t.Errorf("attempt %d: the pipeline got %s: %q, recorded %q, want %q", attempt, name, got.Get(name), x.header(name), want)
		}
	}
}

package sidecar

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/capture"
	"verbatim/sidecar/output"
	"verbatim/sidecar/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// envoyAdmin answers as Envoy's admin endpoint does; the real one is asked in
// tests/e2e.
type envoyAdmin struct {
	version string
	uptime  int
	passed  int
}

func (e *envoyAdmin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/server_info" {
		_, _ = fmt.Fprintf(w, `{"version":%q,"uptime_all_epochs":"%ds"}`, e.version, e.uptime)
		return
	}
	_, _ = fmt.Fprintf(w, `{"stats":[{"name":%q,"value":%d}]}`, passedCounter, e.passed)
}

func openLog(t testing.TB) *auditlog.Log {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		t.Fatal(err)
	}
	log, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return log
}

func gaps(t *testing.T, log *auditlog.Log) []uint64 {
	t.Helper()
	v, err := log.View()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var counts []uint64
	for e, err := range v.Entries(t.Context(), 0, v.Tip().Offset) {
		if err != nil {
			t.Fatal(err)
		}
		ev, err := e.Event()
		if err != nil {
			t.Fatal(err)
		}
		if g := ev.GetGap(); g != nil {
			counts = append(counts, g.GetExchanges())
		}
	}
	return counts
}

func TestEnvoysCounterBecomesGaps(t *testing.T) {
	envoy := &envoyAdmin{version: "1", uptime: 1000, passed: 5}
	server := httptest.NewServer(envoy)
	defer server.Close()
	log := openLog(t)
	var versions []string
	newWatch := func() *envoyWatch {
		return &envoyWatch{
			admin: server.URL, log: log, losses: &capture.Losses{}, logger: slog.New(slog.DiscardHandler), version: "1",
			changed: func(_ context.Context, v string) error { versions = append(versions, v); return nil },
		}
	}
	w := newWatch()
	step := func(version string, uptime, passed int, want ...uint64) {
		t.Helper()
		envoy.version, envoy.uptime, envoy.passed = version, uptime, passed
		w.poll(t.Context())
		if got := gaps(t, log); !slices.Equal(got, want) {
			t.Fatalf("version %s, up %d s, %d passed: gaps %v, want %v", version, uptime, passed, got, want)
		}
	}
	step("1", 1000, 5, 5)
	step("1", 1001, 5, 5)
	step("1", 1002, 8, 5, 3)
	w = newWatch() // the sidecar was restarted: what is told is not told again
	step("1", 1003, 9, 5, 3, 1)
	step("2", 1, 20, 5, 3, 1, 20) // another Envoy, whose counter is beyond the old one's
	step("2", 2, 2, 5, 3, 1, 20, 2)
	if !slices.Equal(versions, []string{"2"}) {
		t.Errorf("versions told: %v", versions)
	}
	server.CloseClientConnections()
	w.client.CloseIdleConnections()
}

// TestWhatIsAskedIsBetweenTwoMoments: what comes while Envoy is asked may be counted, so
// it is compared with what came until the answer was read; and an Envoy that is slow to
// tell its age is not taken for another.
func TestWhatIsAskedIsBetweenTwoMoments(t *testing.T) {
	began := time.Now()
	var seconds []int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for start := time.Now().Unix(); time.Now().Unix() == start; { // until the next second
			runtime.Gosched()
		}
		seconds = append(seconds, time.Now().Unix())
		(&envoyAdmin{version: "1", uptime: int(time.Since(began) / time.Second)}).ServeHTTP(w, r)
	}))
	defer server.Close()
	w := envoyWatch{admin: server.URL}
	state, err := w.ask(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if read := seconds[1]; state.at.Unix() < read {
		t.Errorf("read at %d, and counted until %d", read, state.at.Unix())
	}
	if earliest, latest := state.started(); earliest > began.Unix() || latest < began.Unix() {
		t.Errorf("started at %d, and said to be between %d and %d", began.Unix(), earliest, latest)
	}
	server.CloseClientConnections()
	w.client.CloseIdleConnections()
}

// TestTheStartNamesThePolicies: and keeps its boot id when Envoy changes.
func TestTheStartNamesThePolicies(t *testing.T) {
	log := openLog(t)
	s := &service{log: log, bootID: "boot", version: "v"}
	s.config.Pipeline.Protocol = "h2"
	s.config.Ordering = "global"
	s.policy, s.ignore = defaultRules(t)
	for _, version := range []string{"1", "2"} {
		if err := s.recordStart(t.Context(), version); err != nil {
			t.Fatal(err)
		}
		clock, err := openClock(filepath.Join(t.TempDir(), "clock"))
		if err != nil {
			t.Fatal(err)
		}
		s.clock = clock // for the second
	}
	v, err := log.View()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	clocks := []logv1.PipelineClock{logv1.PipelineClock_PIPELINE_CLOCK_SYSTEM, logv1.PipelineClock_PIPELINE_CLOCK_FROZEN}
	for i, version := range []string{"1", "2"} {
		e, err := v.Entry(uint64(i + 1))
		if err != nil {
			t.Fatal(err)
		}
		ev, err := e.Event()
		if err != nil {
			t.Fatal(err)
		}
		start := ev.GetStart()
		if start.GetEnvoyVersion() != version || start.GetBootId() != "boot" || start.GetPipeline().GetProtocol() != "h2" ||
			start.GetPipelineClock() != clocks[i] || start.GetOrdering() != logv1.Ordering_ORDERING_GLOBAL || len(start.GetIgnorePolicy().GetSha256()) != 32 {
			t.Errorf("start %v", start)
		}
	}
}

func defaultRules(t *testing.T) (*policy.Policy, output.IgnorePolicy) {
	t.Helper()
	p, err := policy.New(policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p, output.DefaultIgnorePolicy()
}

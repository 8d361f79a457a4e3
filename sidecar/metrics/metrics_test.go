package metrics_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/capture"
	"verbatim/sidecar/metrics"
)

var (
	_ auditlog.Observer = (*metrics.Metrics)(nil)
	_ capture.Metrics   = (*metrics.Metrics)(nil)
)

// scrape is the lines that Prometheus would be shown, without comments.
func scrape(t *testing.T, registry *prometheus.Registry) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	shown := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			shown[name] = value
		}
	}
	return shown
}

// expect compares what a scrape shows of some series.
func expect(t *testing.T, registry *prometheus.Registry, want map[string]string) {
	t.Helper()
	shown := scrape(t, registry)
	for name, value := range want {
		if shown[name] != value {
			t.Errorf("%s is %q, want %q", name, shown[name], value)
		}
	}
}

func TestDurableEntriesAreCountedByKind(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 4}); err != nil {
		t.Fatal(err)
	}
	l, err := auditlog.Open(dir, auditlog.Options{Observer: m})
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range []*logv1.Event{
		{Kind: &logv1.Event_Request{Request: &logv1.Request{}}},
		{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: 1}}},
		{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 7}}},
		{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}},
	} {
		d, err := auditlog.NewDraft(ev)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append(d).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, registry, map[string]string{
		`verbatim_entries_total{kind="genesis"}`:       "0",
		`verbatim_entries_total{kind="start"}`:         "0",
		`verbatim_entries_total{kind="request"}`:       "1",
		`verbatim_entries_total{kind="response"}`:      "1",
		`verbatim_entries_total{kind="request_part"}`:  "0",
		`verbatim_entries_total{kind="response_part"}`: "0",
		`verbatim_entries_total{kind="abort"}`:         "0",
		`verbatim_entries_total{kind="gap"}`:           "2",
		`verbatim_entries_total{kind="checkpoint"}`:    "1",
		`verbatim_entries_total{kind="prune"}`:         "0",
		"verbatim_batches_total":                       "4",
		"verbatim_batch_entries_sum":                   "5",
		"verbatim_batch_entries_count":                 "4",
		`verbatim_batch_entries_bucket{le="1"}`:        "3",
		`verbatim_batch_entries_bucket{le="2"}`:        "4",
		"verbatim_write_seconds_count":                 "4",
		"verbatim_write_failures_total":                "0",
	})
}

func TestWaitsRefusalsAndFailuresAreMeasured(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	m.Refused("queue-full")
	m.Refused("queue-full")
	m.Refused("replayed")
	m.Failed(errors.New("no space left on device"))
	m.WaitedForTurn(40 * time.Microsecond)
	m.WaitedForTurn(2 * time.Minute)
	m.WaitedForDisk(time.Millisecond)
	m.WaitedForPipeline(time.Second)
	expect(t, registry, map[string]string{
		`verbatim_refused_total{reason="queue-full"}`:     "2",
		`verbatim_refused_total{reason="replayed"}`:       "1",
		"verbatim_write_failures_total":                   "1",
		`verbatim_turn_wait_seconds_bucket{le="5e-05"}`:   "1",
		`verbatim_turn_wait_seconds_bucket{le="60"}`:      "1",
		`verbatim_turn_wait_seconds_bucket{le="+Inf"}`:    "2",
		`verbatim_disk_wait_seconds_bucket{le="0.0005"}`:  "0",
		`verbatim_disk_wait_seconds_bucket{le="0.001"}`:   "1",
		`verbatim_pipeline_wait_seconds_bucket{le="0.5"}`: "0",
		`verbatim_pipeline_wait_seconds_bucket{le="1"}`:   "1",
		"verbatim_pipeline_wait_seconds_sum":              "1",
	})
}

func TestGaugesAreReadAtEachScrape(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	var down error
	waiting := 3
	m.WatchTurns(func() int { return waiting }, func() int { return 2 })
	m.WatchLog(func() error { return down })
	m.WatchRoom(func() int64 { return 5 }, 7)
	expect(t, registry, map[string]string{
		"verbatim_in_flight_bytes": "5", "verbatim_in_flight_limit_bytes": "7",
		"verbatim_log_writable": "1", "verbatim_turn_waiting": "3", "verbatim_turn_running": "2",
	})
	down, waiting = errors.New("log is not writable"), 0
	expect(t, registry, map[string]string{
		"verbatim_log_writable": "0", "verbatim_turn_waiting": "0", "verbatim_turn_running": "2",
	})
}

func TestTheProcessAndTheRuntimeAreShown(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics.New(registry)
	shown := scrape(t, registry)
	for _, name := range []string{"go_goroutines", "process_start_time_seconds", "process_open_fds"} {
		if shown[name] == "" {
			t.Errorf("no %s", name)
		}
	}
}

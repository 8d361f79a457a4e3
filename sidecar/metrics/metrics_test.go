package metrics_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/capture"
	"verbatim/sidecar/metrics"
)

var (
	_ auditlog.Observer = (*metrics.Metrics)(nil)
	_ capture.Metrics   = (*metrics.Metrics)(nil)
)

// exposed compares what a scrape shows of some metrics.
func exposed(t *testing.T, registry *prometheus.Registry, want string, names ...string) {
	t.Helper()
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
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
	exposed(t, registry, `
# HELP verbatim_entries_total Entries made durable, by kind of event.
# TYPE verbatim_entries_total counter
verbatim_entries_total{kind="abort"} 0
verbatim_entries_total{kind="checkpoint"} 1
verbatim_entries_total{kind="gap"} 2
verbatim_entries_total{kind="genesis"} 0
verbatim_entries_total{kind="prune"} 0
verbatim_entries_total{kind="request"} 1
verbatim_entries_total{kind="request_part"} 0
verbatim_entries_total{kind="response"} 1
verbatim_entries_total{kind="response_part"} 0
verbatim_entries_total{kind="start"} 0
# HELP verbatim_batches_total Groups of entries made durable with one synced write.
# TYPE verbatim_batches_total counter
verbatim_batches_total 4
# HELP verbatim_write_failures_total Writes that failed; nothing is recorded until the log is open again.
# TYPE verbatim_write_failures_total counter
verbatim_write_failures_total 0
`, "verbatim_entries_total", "verbatim_batches_total", "verbatim_write_failures_total")
	if m.Gaps() != 2 {
		t.Errorf("%d gaps", m.Gaps())
	}
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
	exposed(t, registry, `
# HELP verbatim_refused_total Exchanges that were answered with an error, by reason.
# TYPE verbatim_refused_total counter
verbatim_refused_total{reason="queue-full"} 2
verbatim_refused_total{reason="replayed"} 1
# HELP verbatim_write_failures_total Writes that failed; nothing is recorded until the log is open again.
# TYPE verbatim_write_failures_total counter
verbatim_write_failures_total 1
`, "verbatim_refused_total", "verbatim_write_failures_total")
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]uint64{}
	for _, f := range families {
		if h := f.GetMetric()[0].GetHistogram(); h != nil {
			counts[f.GetName()] = h.GetSampleCount()
			if b := h.GetBucket()[0]; f.GetName() == "verbatim_turn_wait_seconds" && (b.GetUpperBound() != 50e-6 || b.GetCumulativeCount() != 1) {
				t.Errorf("first bucket %v", b)
			}
		}
	}
	for name, want := range map[string]uint64{
		"verbatim_turn_wait_seconds": 2, "verbatim_disk_wait_seconds": 1, "verbatim_pipeline_wait_seconds": 1,
		"verbatim_write_seconds": 0, "verbatim_batch_entries": 0,
	} {
		if got, ok := counts[name]; !ok || got != want {
			t.Errorf("%s has %d samples, want %d", name, got, want)
		}
	}
}

func TestGaugesAreReadAtEachScrape(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	var down error
	waiting := 3
	m.WatchTurns(func() int { return waiting }, func() int { return 2 })
	m.WatchLog(func() error { return down })
	const text = `
# HELP verbatim_log_writable 1 while entries can be made durable, else 0.
# TYPE verbatim_log_writable gauge
verbatim_log_writable %WRITABLE
# HELP verbatim_turn_running Exchanges that have their turn.
# TYPE verbatim_turn_running gauge
verbatim_turn_running 2
# HELP verbatim_turn_waiting Exchanges that wait for their turn.
# TYPE verbatim_turn_waiting gauge
verbatim_turn_waiting %WAITING
`
	names := []string{"verbatim_log_writable", "verbatim_turn_running", "verbatim_turn_waiting"}
	exposed(t, registry, strings.NewReplacer("%WRITABLE", "1", "%WAITING", "3").Replace(text), names...)
	down, waiting = errors.New("log is not writable"), 0
	exposed(t, registry, strings.NewReplacer("%WRITABLE", "0", "%WAITING", "0").Replace(text), names...)
}

func TestTheProcessAndTheRuntimeAreShown(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics.New(registry)
	n, err := testutil.GatherAndCount(registry, "go_goroutines", "process_start_time_seconds", "process_open_fds")
	if err != nil || n != 3 {
		t.Errorf("%d, %v", n, err)
	}
}

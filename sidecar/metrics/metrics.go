// Package metrics measures a running sidecar for Prometheus.
//
// It guarantees that what it counts was durable (entries) or was really done to
// an exchange (waits, refusals), and that no call of it blocks. It keeps nothing
// over a restart: all counts are since the process started.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"verbatim/sidecar/auditlog"
)

// Metrics implements auditlog.Observer and capture.Metrics. Its methods are
// safe for use by several goroutines.
type Metrics struct {
	registry prometheus.Registerer

	entries       *prometheus.CounterVec
	batches       prometheus.Counter
	batchEntries  prometheus.Histogram
	writeSeconds  prometheus.Histogram
	writeFailures prometheus.Counter

	turnWait     prometheus.Histogram
	diskWait     prometheus.Histogram
	pipelineWait prometheus.Histogram
	refused      *prometheus.CounterVec
}

// durations are the buckets of every time measured, in seconds: from the 50 µs
// of a fast disk to the minute that nothing should wait.
var durations = []float64{
	50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3,
	1, 2.5, 5, 10, 30, 60,
}

// batchSizes are the buckets of entries in a batch: 1 to 8192.
var batchSizes = prometheus.ExponentialBuckets(1, 2, 14)

// New registers everything that is measured, the Go runtime and the process
// included. It panics if the registry has one of these already.
func New(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		registry: registry,
		entries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "verbatim_entries_total", Help: "Entries made durable, by kind of event.",
		}, []string{"kind"}),
		batches: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "verbatim_batches_total", Help: "Groups of entries made durable with one synced write.",
		}),
		batchEntries: histogram("verbatim_batch_entries", "Entries in one batch.", batchSizes),
		writeSeconds: histogram("verbatim_write_seconds", "Time of one batch's synced write.", durations),
		writeFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "verbatim_write_failures_total", Help: "Writes that failed; nothing is recorded until the log is open again.",
		}),
		turnWait:     histogram("verbatim_turn_wait_seconds", "Time that exchanges waited for their turn.", durations),
		diskWait:     histogram("verbatim_disk_wait_seconds", "Time that exchanges waited for an entry to be durable.", durations),
		pipelineWait: histogram("verbatim_pipeline_wait_seconds", "Time from a request's release to its whole answer.", durations),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "verbatim_refused_total", Help: "Exchanges that were answered with an error, by reason.",
		}, []string{"reason"}),
	}
	for k := auditlog.KindGenesis; k <= auditlog.KindPrune; k++ {
		m.entries.WithLabelValues(k.String()) // a rate needs its zero
	}
	registry.MustRegister(m.entries, m.batches, m.batchEntries, m.writeSeconds, m.writeFailures,
		m.turnWait, m.diskWait, m.pipelineWait, m.refused,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

// Durable counts a batch.
func (m *Metrics) Durable(entries map[auditlog.Kind]int, took time.Duration) {
	total := 0
	for kind, n := range entries {
		m.entries.WithLabelValues(kind.String()).Add(float64(n))
		total += n
	}
	m.batches.Inc()
	m.batchEntries.Observe(float64(total))
	m.writeSeconds.Observe(took.Seconds())
}

// Failed counts a write that failed.
func (m *Metrics) Failed(error) { m.writeFailures.Inc() }

// WaitedForTurn takes a wait for a turn, given or not.
func (m *Metrics) WaitedForTurn(d time.Duration) { m.turnWait.Observe(d.Seconds()) }

// WaitedForDisk takes a wait for an entry, durable or not.
func (m *Metrics) WaitedForDisk(d time.Duration) { m.diskWait.Observe(d.Seconds()) }

// WaitedForPipeline takes the time of an answer.
func (m *Metrics) WaitedForPipeline(d time.Duration) { m.pipelineWait.Observe(d.Seconds()) }

// Refused counts an exchange that was answered with an error.
func (m *Metrics) Refused(reason string) { m.refused.WithLabelValues(reason).Inc() }

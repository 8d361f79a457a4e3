package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"verbatim/sidecar/retention"
)

// Retention implements retention.Observer. Its methods are safe for use by several
// goroutines.
type Retention struct{ entries, octets, failures prometheus.Counter }

// NewRetention registers what is measured of pruning.
func (m *Metrics) NewRetention() *Retention {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	r := &Retention{
		entries:  counter("verbatim_retention_pruned_entries_total", "Entries that were cut off and cleared."),
		octets:   counter("verbatim_retention_reclaimed_bytes_total", "How much less the log's directory held after each pruning than before it."),
		failures: counter("verbatim_retention_failures_total", "Steps of retention that failed."),
	}
	m.registry.MustRegister(r.entries, r.octets, r.failures)
	return r
}

// Pruned counts what is gone.
func (r *Retention) Pruned(entries, octets uint64) {
	r.entries.Add(float64(entries))
	r.octets.Add(float64(octets))
}

// RetentionFailed counts a step that failed.
func (r *Retention) RetentionFailed() { r.failures.Inc() }

// WatchRetention shows what is there and what is held back. status is called at each
// scrape, from any goroutine.
func (m *Metrics) WatchRetention(status func() retention.Status) {
	m.gauge("verbatim_retention_first_offset", "The first offset that is not pruned.", func() float64 { return float64(status().First) })
	for _, by := range retention.Rules() {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "verbatim_retention_held_back", Help: "1 while a rule keeps sealed windows from being pruned, else 0.",
			ConstLabels: prometheus.Labels{"by": string(by)},
		}, func() float64 {
			for _, h := range status().Held {
				if h.By == by {
					return 1
				}
			}
			return 0
		}))
	}
}

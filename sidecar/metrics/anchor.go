package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"verbatim/sidecar/anchor"
)

// Anchor implements anchor.Observer. Its methods are safe for use by several
// goroutines.
type Anchor struct {
	failures *prometheus.CounterVec
	fees     prometheus.Counter
	paid     prometheus.Counter
}

// NewAnchor registers what is measured of the way to the contract.
func (m *Metrics) NewAnchor() *Anchor {
	a := &Anchor{
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "verbatim_anchor_failures_total", Help: "Attempts to publish a root that failed, by kind.",
		}, []string{"kind"}),
		fees: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "verbatim_anchor_fees_stroops_total", Help: "What transactions cost, in stroops.",
		}),
		paid: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "verbatim_anchor_transactions_total", Help: "Transactions that were in a ledger, failed ones too.",
		}),
	}
	for _, kind := range anchor.Kinds() {
		a.failures.WithLabelValues(kind) // a rate needs its zero
	}
	m.registry.MustRegister(a.failures, a.fees, a.paid)
	return a
}

// AnchorFailed counts an attempt that failed.
func (a *Anchor) AnchorFailed(kind string) { a.failures.WithLabelValues(kind).Inc() }

// AnchorPaid counts a transaction that was in a ledger.
func (a *Anchor) AnchorPaid(stroops int64) {
	a.paid.Inc()
	a.fees.Add(float64(stroops))
}

// WatchAnchor shows how far behind the contract is. status is called at each
// scrape, from any goroutine.
func (m *Metrics) WatchAnchor(status func() anchor.Status) {
	m.gauge("verbatim_anchor_lag_checkpoints", "Sealed checkpoints that no receipt covers.", func() float64 { return float64(status().Pending) })
	m.gauge("verbatim_anchor_lag_seconds", "Age of the oldest checkpoint that no receipt covers; 0 if there is none.", func() float64 {
		oldest := status().OldestPending
		if oldest.IsZero() {
			return 0
		}
		return max(0, time.Since(oldest).Seconds())
	})
	m.gauge("verbatim_anchor_newest_ledger", "Ledger of the newest receipt; 0 if there is none.", func() float64 { return float64(status().Anchored.GetLedger()) })
	m.gauge("verbatim_anchor_alarm", "1 while somebody has to act: the status says why.", func() float64 {
		if status().Alarm != "" {
			return 1
		}
		return 0
	})
}

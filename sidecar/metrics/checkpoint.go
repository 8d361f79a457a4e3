package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"verbatim/sidecar/checkpoint"
)

// Signing implements checkpoint.Observer. Its methods are safe for use by several
// goroutines.
type Signing struct{ failures prometheus.Counter }

// NewSigning registers what is measured of signing.
func (m *Metrics) NewSigning() *Signing {
	s := &Signing{failures: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "verbatim_checkpoint_signing_failures_total", Help: "Attempts to sign checkpoints that failed.",
	})}
	m.registry.MustRegister(s.failures)
	return s
}

// SigningFailed counts an attempt that failed.
func (s *Signing) SigningFailed() { s.failures.Inc() }

// WatchSigning shows how many checkpoints wait for their signature. status is
// called at each scrape, from any goroutine.
func (m *Metrics) WatchSigning(status func() checkpoint.Status) {
	m.gauge("verbatim_checkpoint_unsigned", "Sealed checkpoints that wait for their signature.", func() float64 { return float64(status().Unsigned) })
}

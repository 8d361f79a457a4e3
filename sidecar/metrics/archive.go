package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"verbatim/sidecar/archive"
)

// Archive implements archive.Observer. Its methods are safe for use by several
// goroutines.
type Archive struct {
	failures, bytes, manifests prometheus.Counter
	through, written           prometheus.Gauge
}

// NewArchive registers what is measured of the way to the archive.
func (m *Metrics) NewArchive() *Archive {
	a := &Archive{
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "verbatim_archive_failures_total", Help: "Attempts to archive that failed.",
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "verbatim_archive_bytes_total", Help: "Bytes of objects that went up and were read back, manifests not counted.",
		}),
		manifests: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "verbatim_archive_manifests_total", Help: "Manifests that were written.",
		}),
		through: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "verbatim_archive_through_offset", Help: "The newest archived offset; 0 until the first manifest of this process.",
		}),
		written: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "verbatim_archive_written_timestamp_seconds", Help: "When the newest manifest was written; 0 until the first one of this process.",
		}),
	}
	m.registry.MustRegister(a.failures, a.bytes, a.manifests, a.through, a.written)
	return a
}

// Archived counts a manifest.
func (a *Archive) Archived(s archive.Standing, bytes uint64) {
	a.manifests.Inc()
	a.bytes.Add(float64(bytes))
	a.through.Set(float64(s.Through.Offset))
	a.written.Set(float64(time.Now().Unix()))
}

// ArchiveFailed counts an attempt that failed.
func (a *Archive) ArchiveFailed(error) { a.failures.Inc() }

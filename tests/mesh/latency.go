package mesh

import (
	"math"
	"slices"
	"time"
)

// Latencies are durations in the order in which they were measured.
type Latencies []time.Duration

// Quantile returns the smallest duration that at least the share q of all does
// not exceed, q from 0 to 1 (nearest rank). It is 0 when there is none.
func (l Latencies) Quantile(q float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l))
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// P50 is the median.
func (l Latencies) P50() time.Duration { return l.Quantile(0.50) }

// P99 is exceeded by one in a hundred.
func (l Latencies) P99() time.Duration { return l.Quantile(0.99) }

package sidecar

import (
	"maps"
	"sync"
)

// observed counts the exchanges that Envoy showed, by the clock that Envoy gave
// them, so that they can be compared with a counter of Envoy's at some moment. It is
// safe for use by several goroutines.
type observed struct {
	mu      sync.Mutex
	seconds map[int64]int64 // by the second of Envoy's clock
}

// see is capture's Observed.
func (o *observed) see(clockMS uint64, exchanges int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seconds == nil {
		o.seconds = map[int64]int64{}
	}
	o.seconds[int64(clockMS/1000)] += int64(exchanges)
}

// between counts exchanges of these seconds, both inclusive.
func (o *observed) between(from, to int64) (n int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for second, count := range o.seconds {
		if second >= from && second <= to {
			n += count
		}
	}
	return n
}

// forget adds up the seconds before one, which nobody asks for any more, in the
// last of them.
func (o *observed) forget(before int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := before - 1
	for second, count := range o.seconds {
		if second < last {
			delete(o.seconds, second)
			o.seconds[last] += count
		}
	}
}

// drop takes out the seconds before one.
func (o *observed) drop(before int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.seconds, func(second, _ int64) bool { return second < before })
}

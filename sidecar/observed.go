package sidecar

import (
	"maps"
	"sync"
	"time"
)

// observed counts the exchanges that Envoy showed, by the clock that Envoy gave
// them, so that they can be compared with a counter of Envoy's at some moment. It is
// safe for use by several goroutines.
type observed struct {
	mu      sync.Mutex
	seconds map[uint64]int64 // by the second of Envoy's clock
}

// see is capture's Observed.
func (o *observed) see(clockMS uint64, exchanges int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seconds == nil {
		o.seconds = map[uint64]int64{}
	}
	o.seconds[clockMS/1000] += int64(exchanges)
}

// between counts exchanges of these seconds, both inclusive.
func (o *observed) between(from, to time.Time) (n int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for second, count := range o.seconds {
		if int64(second) >= from.Unix() && int64(second) <= to.Unix() {
			n += count
		}
	}
	return n
}

// forget adds up the seconds before a moment, which nobody asks for any more, in
// the last of them.
func (o *observed) forget(before time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := uint64(before.Unix() - 1)
	for second, count := range o.seconds {
		if second < last {
			delete(o.seconds, second)
			o.seconds[last] += count
		}
	}
}

// drop takes out what was before a moment.
func (o *observed) drop(before time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.seconds, func(second uint64, _ int64) bool { return int64(second) < before.Unix() })
}

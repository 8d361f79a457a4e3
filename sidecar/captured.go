package sidecar

import (
	"maps"
	"slices"
	"sync"
)

// addresses are those that are being captured: the pipeline's and Envoy's
// listeners'. It is safe for use by several goroutines.
type addresses struct {
	mu   sync.RWMutex
	seen map[string]bool
}

func newAddresses(configured string) *addresses {
	a := &addresses{seen: map[string]bool{}}
	if configured != "" {
		a.seen[configured] = true
	}
	return a
}

// see is called for each exchange, so it takes the write lock for new ones only.
func (a *addresses) see(upstream, listener string) {
	a.mu.RLock()
	known := (upstream == "" || a.seen[upstream]) && (listener == "" || a.seen[listener])
	a.mu.RUnlock()
	if known {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range []string{upstream, listener} {
		if s != "" {
			a.seen[s] = true
		}
	}
}

func (a *addresses) list() []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Sorted(maps.Keys(a.seen))
}

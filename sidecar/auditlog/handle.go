package auditlog

import "sync"

// handle is the store in use. Only the writer's goroutine sets and closes it;
// all others use it under with.
type handle struct {
	mu sync.RWMutex
	s  *store
}

// current is for the writer's goroutine, which alone closes the store.
func (h *handle) current() *store {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.s
}

func (h *handle) set(s *store) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.s = s
}

// close waits for reads under way. They must be short.
func (h *handle) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.s != nil {
		h.s.close()
		h.s = nil
	}
}

// with runs f while s stays open, or fails with ErrReopened if it is not.
func (h *handle) with(s *store, f func() error) error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if s == nil || h.s != s {
		return ErrReopened
	}
	return f()
}

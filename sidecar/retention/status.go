package retention

import (
	"time"

	retentionv1 "verbatim/proto/verbatim/retention/v1"
)

// Status is what a worker knows now.
type Status struct {
	// Keep is how old entries get; 0: they are kept for ever.
	Keep time.Duration
	// First is the first offset that is there.
	First uint64
	// Held is what held windows back when the worker looked last.
	Held []Held
	// UnderWay is a Prune entry that is not carried out yet, nil if none is, and
	// WaitsFor says what for.
	UnderWay *retentionv1.Cutting
	WaitsFor string
	// Failure is why a step failed, nil after the next plan or pruning that did not.
	Failure error
	// FailedAt is when, by the wall clock.
	FailedAt time.Time
}

// Status is safe to call at any time.
func (w *Worker) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

// publish sets what a turn found.
func (w *Worker) publish(s turn, err error) {
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.First = s.first
	if s.plan != nil {
		w.status.Held = s.plan.Held
	}
	if s.plan != nil || s.state == stateCleared {
		w.status.Failure, w.status.FailedAt = nil, time.Time{}
	}
	w.status.UnderWay, w.status.WaitsFor = s.cutting, s.waits
	if s.state == stateCleared || s.state == stateDropped {
		w.status.UnderWay = nil
	}
}

// failed notes a failure; the next attempt is after pause.
func (w *Worker) failed(err error, pause time.Duration) {
	w.mu.Lock()
	w.status.Failure, w.status.FailedAt = err, w.o.Clock.Now()
	w.mu.Unlock()
	if w.o.Observer != nil {
		w.o.Observer.RetentionFailed()
	}
	w.o.Logger.Warn("retention failed", "err", err, "next_attempt_in", pause)
}

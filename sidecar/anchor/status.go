package anchor

import (
	"errors"
	"time"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	"verbatim/sidecar/stellar"
)

// Status is what a worker knows now.
type Status struct {
	// Checkpoints is how many are sealed, Pending how many of them no receipt covers.
	Checkpoints, Pending uint64
	// Anchored is the newest receipt, nil if there is none.
	Anchored *anchorv1.Receipt
	// OldestPending is the wall clock of the oldest pending checkpoint, or when it was
	// first seen, where that was before; zero if nothing is pending.
	OldestPending time.Time
	// Submission is under way; nil if nothing is.
	Submission *anchorv1.Submission
	// Failure is why the last attempt failed, nil after one that did not.
	Failure error
	// FailedAt is when.
	FailedAt time.Time
	// Alarm is a sentence that somebody has to act on; empty if all is well.
	Alarm string
}

// FailureKind is the kind of the last failure, empty if there is none.
func (s Status) FailureKind() string {
	if s.Failure == nil {
		return ""
	}
	return kind(s.Failure)
}

// kindForked is the failure that no retry mends.
const kindForked = "forked"

// Kinds are all kinds of failures.
func Kinds() []string { return append(stellar.Kinds(), kindForked) }

func kind(err error) string {
	var fork *ForkError
	if errors.As(err, &fork) {
		return kindForked
	}
	return stellar.Kind(err)
}

// Status is safe to call at any time; the lag in it is as of the call.
func (w *Worker) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status
	s.Alarm = w.alarm(s)
	return s
}

// alarm says what somebody has to act on.
func (w *Worker) alarm(s Status) string {
	var fork *ForkError
	switch {
	case errors.As(s.Failure, &fork):
		return fork.Error()
	case w.o.Schedule.late(s.Pending, s.OldestPending, w.o.Now()):
		text := "the oldest checkpoint that is not anchored was sealed at " + s.OldestPending.UTC().Format(time.RFC3339) +
			", longer ago than " + w.o.Schedule.AlarmAfter.String()
		if s.Failure != nil {
			text += ": " + s.Failure.Error()
		}
		return text
	}
	return ""
}

// publish sets what the log says.
func (w *Worker) publish(p *Progress) {
	oldest := w.oldestPending(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Checkpoints, w.status.Pending = p.Checkpoints, uint64(len(p.Pending))
	w.status.Anchored, w.status.Submission = p.Newest, p.Submission
	w.status.OldestPending = oldest
}

// under notes that a submission is under way.
func (w *Worker) under(s *anchorv1.Submission) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Submission = s
}

// succeeded forgets the last failure.
func (w *Worker) succeeded() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Failure, w.status.FailedAt = nil, time.Time{}
}

// failed notes a failure; the next attempt is after pause.
func (w *Worker) failed(err error, pause time.Duration) {
	w.mu.Lock()
	w.status.Failure, w.status.FailedAt = err, w.o.Now()
	w.mu.Unlock()
	if w.o.Observer != nil {
		w.o.Observer.AnchorFailed(kind(err))
	}
	w.o.Logger.Warn("checkpoint not anchored", "kind", kind(err), "err", err, "next_attempt_in", pause)
}

func (w *Worker) paid(stroops int64) {
	if w.o.Observer != nil {
		w.o.Observer.AnchorPaid(stroops)
	}
}

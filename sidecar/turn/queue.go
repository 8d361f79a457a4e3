package turn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
)

var (
	// ErrQueueFull says that a ticket would have to wait and that as many as
	// may wait do so already.
	ErrQueueFull = errors.New("too many requests wait for their turn")
	// ErrWaitTooLong says that a ticket's turn did not come in time.
	ErrWaitTooLong = errors.New("the turn did not come in time")
)

// Options bound and order a Queue.
type Options struct {
	// Ordering is ORDERING_GLOBAL (one ticket at a time), ORDERING_NONE (nobody
	// waits) or ORDERING_METER (one ticket a key), which is also what any other
	// value means.
	Ordering logv1.Ordering
	// MaxWaiting is how many tickets may wait; with 0 none may.
	MaxWaiting int
	// MaxWait is how long a ticket may wait; with 0 it gives up at once.
	MaxWait time.Duration
}

// Queue hands out turns. It is safe for use by many goroutines and has none of
// its own. Its cost is in proportion to a ticket's own keys, whatever the
// number of tickets that wait.
type Queue struct {
	ordering   logv1.Ordering
	maxWaiting int
	maxWait    time.Duration

	mu      sync.Mutex
	lines   lines
	waiting int
	running int
}

// New returns an empty Queue.
func New(o Options) *Queue {
	return &Queue{
		ordering:   o.Ordering,
		maxWaiting: o.MaxWaiting,
		maxWait:    o.MaxWait,
		lines:      lines{last: make(map[string]*place)},
	}
}

// Acquire waits until the ticket for keys may run. A ticket without keys waits
// for all earlier tickets and excludes all later ones. A key may stand in keys
// more than once; the slice is not kept.
//
// The error is ErrQueueFull, ErrWaitTooLong or wraps that of ctx; then the
// ticket holds nothing. release is never nil, may be called any number of times
// from any goroutine, and must be called once the turn is over.
func (q *Queue) Acquire(ctx context.Context, keys []string) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return func() {}, fmt.Errorf("wait for turn: %w", err)
	}
	if q.ordering == logv1.Ordering_ORDERING_GLOBAL {
		keys = nil
	}
	t, err := q.enter(keys)
	if err != nil {
		return func() {}, err
	}
	release = func() { q.leave(t) }
	if t.granted == nil {
		return release, nil
	}
	if err := q.wait(ctx, t); err != nil {
		// The grant may have come at the same moment; it is given back.
		release()
		return release, err
	}
	return release, nil
}

// enter puts a ticket at the end of its lines. The ticket runs already when its
// granted channel is nil.
func (q *Queue) enter(keys []string) (*ticket, error) {
	t := newTicket(keys)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ordering == logv1.Ordering_ORDERING_NONE || q.lines.join(t) {
		t.state = running
		q.running++
		return t, nil
	}
	if q.waiting >= q.maxWaiting {
		q.lines.leave(t, nil) // It stood last everywhere: nobody waits for it.
		return nil, ErrQueueFull
	}
	t.granted = make(chan struct{})
	q.waiting++
	return t, nil
}

func (q *Queue) wait(ctx context.Context, t *ticket) error {
	timer := time.NewTimer(q.maxWait)
	defer timer.Stop()
	select {
	case <-t.granted:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for turn: %w", ctx.Err())
	case <-timer.C:
		return ErrWaitTooLong
	}
}

// leave takes a ticket out, whether it runs or waits, and lets those run that
// waited only for it. A second call does nothing.
func (q *Queue) leave(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch t.state {
	case over:
		return
	case running:
		q.running--
	case waiting:
		q.waiting--
	}
	t.state = over
	if q.ordering != logv1.Ordering_ORDERING_NONE {
		q.lines.leave(t, q.grant)
	}
}

// grant lets a waiting ticket run.
func (q *Queue) grant(t *ticket) {
	t.state = running
	q.waiting--
	q.running++
	close(t.granted)
}

// Waiting returns how many tickets wait.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// Running returns how many tickets have their turn.
func (q *Queue) Running() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.running
}

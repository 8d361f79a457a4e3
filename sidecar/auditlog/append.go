package auditlog

import (
	"context"
	"fmt"
	"sync"
)

// Placed is an entry's place in the chain.
type Placed struct {
	Offset uint64
	// ClockMS is the entry's wall clock, milliseconds since the Unix epoch.
	ClockMS uint64
}

// write is a key of a column family and its new value; nil removes it, and with an end
// all from the key on and before that.
type write struct {
	family     string
	key, value []byte
	end        []byte
}

// Pending is an appended draft that may not be durable yet.
type Pending struct {
	draft Draft
	// What is to be stored beside the chain, in place of a draft.
	writes []write
	// In place of a draft: the window is sealed, for no entry follows.
	seal   bool
	done   chan struct{}
	placed Placed
	err    error
}

// Wait returns after the entry is durable, or with the error for which it is
// not: ErrNotWritable, ErrClosed, or ctx's, after which the entry may still
// become durable. Any number of goroutines may wait.
func (p *Pending) Wait(ctx context.Context) (Placed, error) {
	select {
	case <-p.done:
		return p.placed, p.err
	case <-ctx.Done():
		return Placed{}, fmt.Errorf("wait for %s: %w", p.what(), context.Cause(ctx))
	}
}

func (p *Pending) what() string {
	if p.writes != nil {
		return "records"
	}
	if p.seal {
		return "the last checkpoint"
	}
	return p.draft.Kind.String()
}

func (p *Pending) finish(err error) {
	p.err = err
	close(p.done)
}

// queue holds what waits for the writer, in the order of Append.
type queue struct {
	wake chan struct{} // capacity 1

	mu      sync.Mutex
	waiting []*Pending
	closed  bool
	ended   bool  // no entries any more
	down    error // why nothing can be written now
	// Requests whose outcome was refused: they get an Abort when the log is back.
	refused map[uint64]struct{}
}

func newQueue() *queue {
	return &queue{wake: make(chan struct{}, 1), refused: map[uint64]struct{}{}}
}

// append enqueues the draft or refuses it at once.
func (q *queue) append(d Draft) *Pending {
	return q.enqueue(&Pending{draft: d, done: make(chan struct{})})
}

// appendAll enqueues the drafts, all of them or none.
func (q *queue) appendAll(drafts []Draft) []*Pending {
	list := make([]*Pending, len(drafts))
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, d := range drafts {
		list[i] = &Pending{draft: d, done: make(chan struct{})}
		q.put(list[i])
	}
	return list
}

func (q *queue) enqueue(p *Pending) *Pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.put(p)
	return p
}

// put is enqueue; q.mu is held.
func (q *queue) put(p *Pending) {
	switch {
	case q.closed, q.ended && p.writes == nil && !p.seal:
		p.finish(fmt.Errorf("append %s: %w", p.what(), ErrClosed))
	case q.down != nil:
		q.refuse(p)
	default:
		q.waiting = append(q.waiting, p)
		q.signal()
	}
}

// refuse fails a draft while the log is down; q.mu is held.
func (q *queue) refuse(p *Pending) {
	if p.draft.outcome() {
		q.refused[p.draft.RequestOffset] = struct{}{}
	}
	p.finish(fmt.Errorf("append %s: %w: %w", p.what(), ErrNotWritable, q.down))
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// maxBatchBytes bounds one batch, so that one write stays short.
const maxBatchBytes = 8 << 20

// take removes the longest run of drafts that fits one batch, at least one.
func (q *queue) take() []*Pending {
	q.mu.Lock()
	defer q.mu.Unlock()
	size, n := 0, 0
	for n < len(q.waiting) && (n == 0 || size+len(q.waiting[n].draft.Event) <= maxBatchBytes) {
		size += len(q.waiting[n].draft.Event)
		n++
	}
	taken := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	if len(q.waiting) == 0 {
		q.waiting = nil
	}
	return taken
}

// breakDown refuses the batch that failed, all that waits and all to come. While
// the log stays down the newest cause is what whoever is refused has to see to.
func (q *queue) breakDown(failed []*Pending, cause error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.down = cause
	for _, p := range append(failed, q.waiting...) {
		q.refuse(p)
	}
	q.waiting = nil
}

// takeRefused empties the set of requests whose outcome was refused. When it
// was empty already the queue accepts drafts again and mended is true.
func (q *queue) takeRefused() (offsets []uint64, mended bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.refused) == 0 {
		q.down = nil
		return nil, true
	}
	for o := range q.refused {
		offsets = append(offsets, o)
	}
	clear(q.refused)
	return offsets, false
}

// refuseAgain puts back what takeRefused gave.
func (q *queue) refuseAgain(offsets []uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, o := range offsets {
		q.refused[o] = struct{}{}
	}
}

// close refuses what comes from now on; what waits is still written.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

// downReason is why nothing can be written now, or nil.
func (q *queue) downReason() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.down
}

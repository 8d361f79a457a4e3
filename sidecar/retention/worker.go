package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"verbatim/sidecar/auditlog"
)

// DefaultKeep is how long entries are kept where nothing else is said.
const DefaultKeep = 90 * 24 * time.Hour

// Ledger tells the public ledger's time.
type Ledger interface {
	// LedgerClosedAt is when the newest ledger closed.
	LedgerClosedAt(ctx context.Context) (time.Time, error)
}

// Options are a Worker's settings.
type Options struct {
	Log *auditlog.Log
	// Keep is how old entries get; 0: they are kept for ever.
	Keep time.Duration
	// Every is how often the worker looks for what may go; 0: only when asked.
	Every time.Duration
	// Clock is where time comes from; nil: the operating system.
	Clock Clock
	// Ledger is asked for the time, where the log is anchored; nil: the newest receipt tells.
	Ledger Ledger
	// Archive must have what goes; nil: there is none.
	Archive Archive
	// Observer is told of what happens; may be nil.
	Observer Observer
	// Logger gets what an operator has to know; nil: nothing is logged.
	Logger *slog.Logger
}

// Observer counts. Its methods must not block.
type Observer interface {
	// Pruned is called after entries are gone, with how many, and how much less the
	// log's directory holds.
	Pruned(entries, octets uint64)
	// RetentionFailed is called for each step that failed.
	RetentionFailed()
}

// Worker prunes a log, one pruning at a time, and keeps its holds. Its methods are
// safe for use by several goroutines. It starts none of its own.
type Worker struct {
	o    Options
	log  log
	asks chan ask
	ends chan struct{} // closed when Run ends

	// holding is held while holds change, and from the last look at them until what
	// they allow is cut: so a hold either stops a cut or is told of it.
	holding sync.Mutex

	// Owned by the goroutine that works.
	time *timekeeper
	next time.Duration // when to plan next, on the monotonic clock

	mu     sync.Mutex
	status Status
}

// ask is a wish to prune at once.
type ask struct {
	ctx    context.Context
	answer chan answer // capacity 1
}

type answer struct {
	done *Done
	err  error
}

// ErrStopped says that the worker does not run.
var ErrStopped = errors.New("retention has stopped")

// New makes a worker; Run makes it work.
func New(o Options) *Worker {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = systemClock{time.Now()}
	}
	return &Worker{
		o: o, log: wholeLog{o.Log}, asks: make(chan ask), ends: make(chan struct{}),
		status: Status{Keep: o.Keep},
	}
}

// Bounds of the pauses of Run.
const (
	firstPause = time.Second
	maxPause   = time.Minute
	// pollPruning is between two looks at a pruning that waits for its seal or anchor.
	pollPruning = time.Second
)

// Run works until ctx ends: it counts time, and prunes what may go. It first goes
// on with what was under way at the last stop. No failure ends it.
func (w *Worker) Run(ctx context.Context) {
	defer close(w.ends)
	pauses := backoff.NewExponentialBackOff(backoff.WithInitialInterval(firstPause),
		backoff.WithMaxInterval(maxPause), backoff.WithMaxElapsedTime(0))
	for {
		wait, err := w.step(ctx)
		if err != nil && ctx.Err() == nil {
			wait = pauses.NextBackOff()
			w.failed(err, wait)
		} else {
			pauses.Reset()
		}
		if !w.rest(ctx, wait) {
			return
		}
	}
}

// rest waits, and answers those who ask meanwhile. It is false when ctx has ended.
func (w *Worker) rest(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case a := <-w.asks:
		w.serve(ctx, a)
	}
	return ctx.Err() == nil
}

// serve prunes for somebody who waits for it.
func (w *Worker) serve(ctx context.Context, a ask) {
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(a.ctx, func() { cancel(context.Cause(a.ctx)) })()
	done, err := w.Once(both)
	if err != nil && both.Err() == nil {
		w.failed(err, 0)
	}
	a.answer <- answer{done, err}
}

// PruneNow prunes at once what may go, and returns when it is gone. It blocks until
// then, until it failed, or until ctx ends; a pruning that is in the chain by then
// goes on.
func (w *Worker) PruneNow(ctx context.Context) (*Done, error) {
	a := ask{ctx: ctx, answer: make(chan answer, 1)}
	select {
	case w.asks <- a:
	case <-w.ends:
		return nil, fmt.Errorf("prune: %w", ErrStopped)
	case <-ctx.Done():
		return nil, fmt.Errorf("prune: %w", context.Cause(ctx))
	}
	select {
	case got := <-a.answer:
		return got.done, got.err
	case <-ctx.Done():
		return nil, fmt.Errorf("prune: %w; what is in the chain already goes on", context.Cause(ctx))
	}
}

// Done is what was pruned.
type Done struct {
	// Plan is what allowed it, as it was when it began; nil if it had begun before.
	Plan *Plan
	// Prune is the offset of the Prune entry; 0: there was nothing to prune.
	Prune uint64
	// First is the first offset that is there now.
	First uint64
	// Entries went, and the log's directory held Before and then After octets on disk.
	Entries, Before, After uint64
	// Waits says what the pruning waits for; empty: it is done. Only Once without
	// waiting ends so.
	Waits string
}

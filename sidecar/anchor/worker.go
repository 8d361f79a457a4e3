package anchor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/stellar"
)

// Options are a Worker's settings.
type Options struct {
	Log      *auditlog.Log
	Client   *stellar.Client
	Contract *stellar.Contract
	// Payment says who signs, who pays, and the most that one transaction may cost.
	Payment  stellar.Payment
	Schedule Schedule
	// Observer is told of what happens; may be nil.
	Observer Observer
	// Logger gets what an operator has to know; nil: nothing is logged.
	Logger *slog.Logger
	// Now is the wall clock; nil: time.Now.
	Now func() time.Time
}

// Observer counts. Its methods must not block.
type Observer interface {
	// AnchorFailed is called with the kind of each failure.
	AnchorFailed(kind string)
	// AnchorPaid is called with what each transaction cost, in stroops.
	AnchorPaid(stroops int64)
}

// Worker anchors a log's checkpoints, one transaction at a time. Its methods are
// safe for use by several goroutines. It starts none of its own.
type Worker struct {
	Options
	wake chan struct{} // capacity 1: a checkpoint was sealed
	asks chan ask
	ends chan struct{} // closed when Run ends

	mu     sync.Mutex
	status Status
}

// ask is a wish that the newest root be anchored at once.
type ask struct {
	ctx    context.Context
	answer chan answer // capacity 1
}

type answer struct {
	receipt *anchorv1.Receipt
	err     error
}

// ErrStopped: the worker does not run.
var ErrStopped = errors.New("anchoring has stopped")

// New makes a worker; Run makes it work.
func New(o Options) *Worker {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Schedule.Every = max(1, o.Schedule.Every)
	return &Worker{Options: o, wake: make(chan struct{}, 1), asks: make(chan ask), ends: make(chan struct{})}
}

// Sealed tells that a checkpoint was sealed. It does not block.
func (w *Worker) Sealed() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// AnchorNow anchors the newest root at once, whatever the schedule says, and
// returns its receipt, durable; the newest receipt if nothing is pending. It
// blocks until then, until it failed, or until ctx ends.
func (w *Worker) AnchorNow(ctx context.Context) (*anchorv1.Receipt, error) {
	a := ask{ctx: ctx, answer: make(chan answer, 1)}
	select {
	case w.asks <- a:
	case <-w.ends:
		return nil, fmt.Errorf("anchor newest root: %w", ErrStopped)
	case <-ctx.Done():
		return nil, fmt.Errorf("anchor newest root: %w", context.Cause(ctx))
	}
	select {
	case got := <-a.answer:
		return got.receipt, got.err
	case <-ctx.Done():
		return nil, fmt.Errorf("anchor newest root: %w; it may still be anchored: see the status", context.Cause(ctx))
	}
}

// Bounds of the pause after a failure.
const (
	firstPause = time.Second
	maxPause   = time.Minute
)

// Run works until ctx ends. It first finds out what became of a transaction that
// was under way at the last stop. No failure ends it.
func (w *Worker) Run(ctx context.Context) {
	defer close(w.ends)
	pauses := backoff.NewExponentialBackOff(backoff.WithInitialInterval(firstPause),
		backoff.WithMaxInterval(maxPause), backoff.WithMaxElapsedTime(0))
	for {
		wait, again, err := w.step(ctx, false)
		if err != nil && ctx.Err() == nil {
			wait, again = pauses.NextBackOff(), true
			w.failed(err, wait)
		} else {
			pauses.Reset()
		}
		if !w.rest(ctx, wait, again, err != nil) {
			return
		}
	}
}

// rest waits until there is something to do, and answers those who ask meanwhile.
// While the network fails, a new checkpoint is no reason to try again sooner. It
// is false when ctx has ended.
func (w *Worker) rest(ctx context.Context, wait time.Duration, again, failing bool) bool {
	var timer <-chan time.Time
	if again {
		t := time.NewTimer(wait)
		defer t.Stop()
		timer = t.C
	}
	wake := w.wake
	if failing {
		wake = nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-timer:
	case <-wake:
	case a := <-w.asks:
		w.serve(ctx, a)
	}
	return ctx.Err() == nil
}

// serve anchors the newest root for somebody who waits for it.
func (w *Worker) serve(ctx context.Context, a ask) {
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(a.ctx, func() { cancel(context.Cause(a.ctx)) })()
	_, _, err := w.step(both, true)
	if err != nil {
		if both.Err() == nil {
			w.failed(err, 0)
		}
		a.answer <- answer{err: err}
		return
	}
	receipt, err := w.newest()
	a.answer <- answer{receipt, err}
}

func (w *Worker) newest() (*anchorv1.Receipt, error) {
	v, err := w.Log.View()
	if err != nil {
		return nil, err
	}
	defer v.Close()
	return newestReceipt(v)
}

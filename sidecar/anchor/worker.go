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
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/stellar"
)

// Options are a Worker's settings.
type Options struct {
	Log *auditlog.Log
	// Where is the log's genesis' anchor: Contract is there, and the writer of
	// Payment should be its writer.
	Where    *logv1.Anchor
	Client   *stellar.Client
	Contract *stellar.Contract
	// Payment says who signs, who pays, and the most that one transaction may cost.
	Payment  stellar.Payment
	Schedule Schedule
	// Sealed gets a value when a checkpoint was sealed; it needs room for one.
	Sealed <-chan struct{}
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
	o    Options
	keep keeper // the log; tests put a failing one
	asks chan ask
	ends chan struct{} // closed when Run ends

	// Owned by Run's goroutine: the newest receipt and the oldest pending checkpoint,
	// as the schedule counts them, and whether it has looked for a receipt.
	last, oldest waited
	looked       bool

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

// ErrStopped says that the worker does not run.
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
	return &Worker{o: o, keep: o.Log, asks: make(chan ask), ends: make(chan struct{})}
}

// Where says where the log's roots are published.
func (w *Worker) Where() *logv1.Anchor { return w.o.Where }

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
			w.succeeded()
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
	wake := w.o.Sealed
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

// Once anchors the newest root at once and returns its receipt, durable; nil if
// there is no checkpoint. It is for a process that does nothing else: Run must not
// be under way.
func (w *Worker) Once(ctx context.Context) (*anchorv1.Receipt, error) {
	if _, _, err := w.step(ctx, true); err != nil {
		return nil, err
	}
	return w.newest()
}

// serve anchors the newest root for somebody who waits for it.
func (w *Worker) serve(ctx context.Context, a ask) {
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(a.ctx, func() { cancel(context.Cause(a.ctx)) })()
	receipt, err := w.Once(both)
	if err != nil && both.Err() == nil {
		w.failed(err, 0)
	}
	a.answer <- answer{receipt, err}
}

func (w *Worker) newest() (*anchorv1.Receipt, error) {
	v, err := w.o.Log.View()
	if err != nil {
		return nil, err
	}
	defer v.Close()
	return NewestReceipt(v)
}

package checkpoint

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"verbatim/sidecar/auditlog"
)

// Options are a Worker's settings.
type Options struct {
	Log *auditlog.Log
	// Keys sign, all of them, at least one. They differ in their ids.
	Keys []*Key
	// Sealed gets a value when a checkpoint was sealed; it needs room for one.
	Sealed <-chan struct{}
	// Observer is told of failures; may be nil.
	Observer Observer
	// Logger gets what an operator has to know; nil: nothing is logged.
	Logger *slog.Logger
}

// Observer counts. Its methods must not block.
type Observer interface {
	// SigningFailed is called for each attempt that failed.
	SigningFailed()
}

// Worker signs a log's checkpoints, in order. Its methods are safe for use by
// several goroutines. It starts none of its own.
type Worker struct {
	o    Options
	keep keeper // the log; tests put a failing one

	signing sync.Mutex // one signs at a time
	next    uint64     // checkpoints below it are signed, or can't be; under signing

	mu     sync.Mutex
	status Status
	start  uint64 // offset of this process's first Start, if it has one
}

// Status is what a worker knows now.
type Status struct {
	// Unsigned is how many sealed checkpoints were waiting when it looked last.
	Unsigned uint64
	// Failure is why the last attempt failed, nil after one that did not.
	Failure error
}

// New makes a worker; Run makes it work.
func New(o Options) *Worker {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Worker{o: o, keep: o.Log, start: math.MaxUint64}
}

// VerifierKeys are what a Start has to say: the keys in force from there on.
func (w *Worker) VerifierKeys() []string {
	list := make([]string, len(w.o.Keys))
	for i, k := range w.o.Keys {
		list[i] = k.Public().String()
	}
	return list
}

// Started tells where this process's first Start stands, which names
// VerifierKeys: those keys sign what is sealed behind it. Until then, and for
// what was sealed before, keys sign only where an earlier Start says so.
func (w *Worker) Started(offset uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start = min(w.start, offset)
}

// Status is safe to call at any time.
func (w *Worker) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

// Bounds of the pause after a failure.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 10 * time.Second
)

// Run signs what is sealed until ctx ends. No failure ends it.
func (w *Worker) Run(ctx context.Context) {
	pauses := backoff.NewExponentialBackOff(backoff.WithInitialInterval(firstPause),
		backoff.WithMaxInterval(maxPause), backoff.WithMaxElapsedTime(0))
	for ctx.Err() == nil {
		wake, pause := w.o.Sealed, (<-chan time.Time)(nil)
		if err := w.SignSynced(ctx); err != nil && ctx.Err() == nil {
			wake, pause = nil, time.After(pauses.NextBackOff())
		} else {
			pauses.Reset()
		}
		select {
		case <-wake:
		case <-pause:
		case <-ctx.Done():
		}
	}
}

// SignSynced signs all that is sealed and has no note, and returns after the notes
// are durable. Trying again after an error is right.
func (w *Worker) SignSynced(ctx context.Context) error {
	w.signing.Lock()
	defer w.signing.Unlock()
	for {
		left, err := w.signSome(ctx)
		if err == nil || ctx.Err() == nil {
			w.note(left, err)
		}
		if err != nil {
			return fmt.Errorf("sign checkpoints: %w", err)
		}
		if left == 0 {
			return nil
		}
	}
}

// note publishes how an attempt ended.
func (w *Worker) note(unsigned uint64, err error) {
	w.mu.Lock()
	w.status = Status{Unsigned: unsigned, Failure: err}
	w.mu.Unlock()
	if err == nil {
		return
	}
	if w.o.Observer != nil {
		w.o.Observer.SigningFailed()
	}
	w.o.Logger.Error("checkpoints are not signed", "unsigned", unsigned, "err", err)
}

package archive

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Worker archives what is sealed in a log that is being written, again and again. It
// starts no goroutine.
type Worker struct {
	archiver *Archiver
	every    time.Duration
	// pause waits so long, or until ctx ends; tests put one that does not wait.
	pause func(ctx context.Context, d time.Duration)
}

// NewWorker makes a worker that looks for what is new every so often.
func NewWorker(a *Archiver, every time.Duration) *Worker {
	return &Worker{archiver: a, every: every, pause: pause}
}

// Bounds of the pause after a failure.
const (
	firstPause = time.Second
	maxPause   = 5 * time.Minute
)

// Run works until ctx ends. No failure ends it, and it holds nothing up: the storage
// may be away for days.
func (w *Worker) Run(ctx context.Context) {
	o := w.archiver.o
	pauses := backoff.NewExponentialBackOff(backoff.WithInitialInterval(firstPause),
		backoff.WithMaxInterval(maxPause), backoff.WithMaxElapsedTime(0))
	for ctx.Err() == nil {
		wait := w.every
		_, err := w.archiver.Once(ctx)
		switch {
		case err == nil, errors.Is(err, ErrEmpty):
			pauses.Reset()
		case ctx.Err() == nil:
			wait = pauses.NextBackOff()
			o.Logger.Warn("log is not archived", "archive", o.Bucket.name, "err", err, "again_in", wait)
			if o.Observer != nil {
				o.Observer.ArchiveFailed(err)
			}
		}
		w.pause(ctx, wait)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

package main

import (
	"context"
	"fmt"
	"time"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/retention"
)

const (
	// keep is what a looking clock counts in a few looks.
	keep = 3 * time.Hour
	// pruneAttempts bound how often a pruning is tried that is idle or fails.
	pruneAttempts = 20
)

// prune writes while the log is pruned, until what was there is gone.
func prune(ctx context.Context, dir string, out words) error {
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		out.say("refused open: %v", err)
		return errRefused
	}
	w := &writer{l, out}
	out.say("pruning")
	if err := w.prune(ctx); err != nil {
		return err
	}
	return w.close(ctx)
}

// prune goes on after what fails, as the sidecar does.
func (w *writer) prune(ctx context.Context) error {
	clock := &lookingClock{each: func() error { return w.window(ctx) }}
	worker := retention.New(retention.Options{Log: w.log, Keep: keep, Clock: clock})
	var last error
	for range pruneAttempts {
		done, err := worker.Once(ctx)
		switch {
		case clock.err != nil:
			return clock.err
		case err != nil:
			last = err
			w.say("refused prune: %v", err)
			if err := w.writable(ctx); err != nil {
				return err
			}
		case done.Entries > 0:
			w.say("pruned %d", done.First)
			return nil
		}
	}
	return fmt.Errorf("nothing is pruned after %d attempts: %w", pruneAttempts, last)
}

// window writes a window, so that whatever was written before is sealed.
func (w *writer) window(ctx context.Context) error {
	for range interval / 2 {
		if err := w.exchange("meter-7")(ctx); err != nil {
			return err
		}
	}
	return nil
}

// lookingClock goes on by an hour each time it is looked at, and does what there is
// to do in it. One goroutine may use it.
type lookingClock struct {
	each func() error
	mono time.Duration
	err  error
}

func (c *lookingClock) Now() time.Time { return time.Unix(0, 0).Add(c.mono) }

func (c *lookingClock) Monotonic() time.Duration {
	if c.err == nil {
		c.err = c.each()
	}
	c.mono += time.Hour
	return c.mono
}

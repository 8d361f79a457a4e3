package retention

import (
	"context"
	"fmt"
	"time"
)

// Once prunes at once what may go, and waits until it is gone. It is for a process
// that does nothing else: Run must not be under way.
func (w *Worker) Once(ctx context.Context) (*Done, error) { return w.once(ctx, true) }

// Begin is Once, but it waits for no receipt: it returns with what is to be waited
// for. Called again, it goes on from there.
func (w *Worker) Begin(ctx context.Context) (*Done, error) { return w.once(ctx, false) }

func (w *Worker) once(ctx context.Context, patient bool) (*Done, error) {
	poll := time.NewTicker(pollPruning / 10)
	defer poll.Stop()
	total := &Done{}
	for {
		s, err := w.turn(ctx, true)
		if err != nil {
			return nil, err
		}
		total.add(s)
		switch s.state {
		case stateIdle, stateCleared:
			return total, nil
		case stateWaiting:
		default:
			continue
		}
		if total.Waits = s.waits; !patient && s.others {
			return total, nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %s of the prune entry %d: %w", s.waits, s.cutting.GetPruneOffset(), context.Cause(ctx))
		}
	}
}

// add takes in what one turn did.
func (d *Done) add(s turn) {
	if s.plan != nil {
		d.Plan = s.plan
	}
	d.Prune = s.cutting.GetPruneOffset() // none after one that was dropped
	d.First, d.Waits = s.first, ""
	if s.state == stateCleared {
		d.Entries, d.Before, d.After = s.entries, s.before, s.after
	}
}

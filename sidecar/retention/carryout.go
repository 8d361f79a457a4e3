package retention

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
)

// find looks for a Prune entry that was to be appended when a process stopped or a
// write failed. Either it is in the chain, or it never will be.
func (w *Worker) find(ctx context.Context, v *auditlog.View, c *retentionv1.Cutting) (turn, error) {
	for e, err := range v.Entries(ctx, c.GetBehind()+1, v.Tip().Offset) {
		if err != nil {
			return turn{}, fmt.Errorf("look for prune entry: %w", err)
		}
		kind, _, err := auditlog.Peek(e.Raw)
		if err != nil {
			return turn{}, fmt.Errorf("look for prune entry: %w", err)
		}
		if kind != auditlog.KindPrune {
			continue
		}
		ev, err := e.Event()
		if err != nil {
			return turn{}, fmt.Errorf("look for prune entry: %w", err)
		}
		if says(ev.GetPrune(), c) {
			c.PruneOffset = e.Offset
			return turn{state: stateBegun, first: v.First(), cutting: c}, w.keepSynced(ctx, c)
		}
	}
	return w.drop(ctx, v, c, "its entry did not get into the chain")
}

func says(p *logv1.Prune, c *retentionv1.Cutting) bool {
	return p.GetFirstOffset() == c.GetFirstOffset() && p.GetLastOffset() == c.GetLastOffset() && bytes.Equal(p.GetRoot(), c.GetRoot())
}

// drop forgets a pruning that won't be carried out. Its entry, if there is one,
// stays in the chain; a later one says what is pruned then.
func (w *Worker) drop(ctx context.Context, v *auditlog.View, c *retentionv1.Cutting, why string) (turn, error) {
	if err := w.log.KeepSynced(ctx, auditlog.Record{Key: keyCutting}); err != nil {
		return turn{}, err
	}
	w.o.Logger.Warn("a pruning is not carried out", "prune", c.GetPruneOffset(), "through", c.GetLastOffset(), "why", why)
	return turn{state: stateDropped, first: v.First()}, nil
}

// carryOut cuts as the Prune entry says, once that is sealed or anchored, unless it
// must not any more.
func (w *Worker) carryOut(ctx context.Context, v *auditlog.View, c *retentionv1.Cutting, counted time.Duration) (turn, error) {
	waiting := turn{state: stateWaiting, first: v.First(), cutting: c}
	plan, err := w.planAt(ctx, v, counted)
	if err != nil {
		return turn{}, err
	}
	why, later := forbids(plan, c)
	if why != "" {
		return w.drop(ctx, v, c, why)
	}
	if waiting.others, waiting.waits, err = waitsFor(ctx, v, c); err != nil {
		return turn{}, err
	}
	if waiting.waits == "" {
		waiting.others, waiting.waits = true, later
	}
	if waiting.waits != "" {
		return waiting, nil
	}
	return w.cut(ctx, v, c)
}

// cut denies reads, unless a hold forbids it that was added up to now. It returns
// after the cut is durable.
func (w *Worker) cut(ctx context.Context, v *auditlog.View, c *retentionv1.Cutting) (turn, error) {
	w.holding.Lock()
	defer w.holding.Unlock()
	why, err := w.held(ctx, c)
	if err != nil {
		return turn{}, err
	}
	if why != "" {
		return w.drop(ctx, v, c, why)
	}
	if err := w.log.CutSynced(ctx, c.GetPruneOffset()); err != nil {
		return turn{}, fmt.Errorf("cut as prune entry %d says: %w", c.GetPruneOffset(), err)
	}
	w.o.Logger.Info("reads are denied", "through", c.GetLastOffset(), "prune", c.GetPruneOffset())
	return turn{state: stateCut, first: c.GetLastOffset(), cutting: c}, nil
}

// forbids says why a pruning must not be carried out, or what it has to wait for:
// what was old enough, anchored and archived when its entry was written will be
// again, whatever the settings are now.
func forbids(plan *Plan, c *retentionv1.Cutting) (never, later string) {
	for _, h := range plan.Held {
		if h.Offset > c.GetLastOffset() {
			continue
		}
		switch h.By {
		case ByForever, ByHold, ByOpen:
			return h.Text, ""
		case ByAge, ByAnchor, ByArchive:
			later = h.Text
		}
	}
	return "", later
}

// held says which hold forbids a pruning; the caller has holding.
func (w *Worker) held(ctx context.Context, c *retentionv1.Cutting) (string, error) {
	v, err := w.log.View()
	if err != nil {
		return "", err
	}
	defer v.Close()
	p := planner{view: v, plan: &Plan{First: v.First()}}
	if err := p.holds(ctx); err != nil {
		return "", err
	}
	why, _ := forbids(p.plan, c)
	return why, nil
}

// waitsFor says what has to be there before a Prune entry may be carried out, empty if
// it is, and whether that takes others than this process.
func waitsFor(ctx context.Context, v *auditlog.View, c *retentionv1.Cutting) (others bool, what string, err error) {
	window, err := v.OpenWindow(ctx)
	if err != nil {
		return false, "", err
	}
	newest, err := v.Checkpoint(max(1, window.Checkpoints) - 1)
	switch {
	case err != nil:
		return false, "", err
	case newest.Offset < c.GetPruneOffset():
		return false, "its seal", nil
	}
	if what, err = waitsForAnchor(v, c); what != "" || err != nil {
		return true, what, err
	}
	if _, stored, err := v.Indexed(); err != nil || c.GetLastOffset() >= stored {
		return false, "the sealed window to be stored", err
	}
	return false, "", nil
}

func waitsForAnchor(v *auditlog.View, c *retentionv1.Cutting) (string, error) {
	if v.Genesis().GetAnchor() == nil {
		return "", nil
	}
	r, err := anchor.NewestReceipt(v)
	if err != nil || r.GetOffset() <= c.GetPruneOffset() {
		return "its anchor", err
	}
	_, err = covered(v, r)
	return "", err
}

// patience is how long one attempt to clear waits for views that still see what was
// cut off.
const patience = 10 * time.Second

// clear removes what was cut off. No view of this goroutine may be open.
func (w *Worker) clear(ctx context.Context, s turn) (turn, error) {
	var err error
	if s.before, err = DiskUsage(w.log.Dir()); err != nil {
		return turn{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = w.log.ClearCut(bounded)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		s.state, s.waits = stateWaiting, "readers that began before"
		return s, nil
	}
	if err != nil {
		return turn{}, fmt.Errorf("clear what prune entry %d cut off: %w", s.cutting.GetPruneOffset(), err)
	}
	if s.after, err = DiskUsage(w.log.Dir()); err != nil {
		return turn{}, err
	}
	if err := w.log.KeepSynced(ctx, auditlog.Record{Key: keyCutting}); err != nil {
		return turn{}, err
	}
	s.state, s.entries = stateCleared, s.cutting.GetLastOffset()-s.cutting.GetFirstOffset()
	w.tell(s)
	return s, nil
}

// tell says what is gone.
func (w *Worker) tell(s turn) {
	less := uint64(0)
	if s.before > s.after {
		less = s.before - s.after
	}
	if w.o.Observer != nil {
		w.o.Observer.Pruned(s.entries, less)
	}
	w.o.Logger.Info("pruned", "first", s.cutting.GetFirstOffset(), "through", s.cutting.GetLastOffset(), "disk_before", s.before, "disk_after", s.after)
}

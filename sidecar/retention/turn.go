package retention

import (
	"context"
	"fmt"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/auditlog"
)

// state is where the worker stands after a turn.
type state int

const (
	stateIdle    state = iota // nothing is under way, and nothing may go
	stateBegun                // a Prune entry is in the chain
	stateWaiting              // its seal or anchor is not there yet
	stateDropped              // it won't be carried out
	stateCut                  // reads are denied
	stateCleared              // what was cut off is gone
)

// turn is what one turn did.
type turn struct {
	state   state
	first   uint64
	plan    *Plan // where one was made
	cutting *retentionv1.Cutting
	// While it waits: for what, and whether that takes somebody else.
	waits  string
	others bool
	// After it is cleared.
	entries, before, after uint64
}

// step does all that can be done now, and returns how long until there may be more.
func (w *Worker) step(ctx context.Context) (time.Duration, error) {
	for {
		s, err := w.turn(ctx, false)
		if err != nil {
			return 0, err
		}
		switch s.state {
		case stateIdle:
			return w.untilNext(), nil
		case stateWaiting:
			return min(pollPruning, w.time.saveEvery), nil
		}
	}
}

// untilNext is how long nothing has to be done: time is counted all the while.
func (w *Worker) untilNext() time.Duration {
	wait := w.time.saveEvery
	if w.o.Keep > 0 && w.o.Every > 0 {
		wait = min(wait, w.next-w.o.Clock.Monotonic())
	}
	return max(wait, minEvery)
}

// turn does the one thing that is next. Where it goes on is what the log says: the
// cut that was made last, what is kept of the pruning under way, and the chain.
func (w *Worker) turn(ctx context.Context, now bool) (turn, error) {
	if w.time == nil {
		var err error
		if w.time, err = newTimekeeper(ctx, w.log, w.o.Clock, w.marksFor()); err != nil {
			return turn{}, err
		}
	}
	s, err := w.look(ctx, now)
	if err == nil && s.state == stateCut {
		s, err = w.clear(ctx, s)
	}
	w.publish(s, err)
	return s, err
}

// look does what is next and needs a view. What was cut off can't be cleared while
// one is open.
func (w *Worker) look(ctx context.Context, now bool) (turn, error) {
	v, err := w.log.View()
	if err != nil {
		return turn{}, err
	}
	defer v.Close()
	counted, err := w.countSynced(ctx, v)
	if err != nil {
		return turn{}, err
	}
	cutting, err := readCutting(v)
	if err != nil {
		return turn{}, err
	}
	cut, isCut := v.Cut()
	switch c := cutting; {
	case c == nil:
		return w.begin(ctx, v, counted, now)
	case c.GetPruneOffset() == 0:
		return w.find(ctx, v, c)
	case isCut && cut.PruneOffset == c.GetPruneOffset():
		return turn{state: stateCut, first: cut.Offset, cutting: c}, nil
	case isCut && cut.Offset >= c.GetLastOffset():
		return w.drop(ctx, v, c, "more is pruned already")
	}
	return w.carryOut(ctx, v, cutting, counted)
}

// marksFor is the keep time that marks are needed for: a log that keeps all for ever
// may be told another some day.
func (w *Worker) marksFor() time.Duration {
	if w.o.Keep > 0 {
		return w.o.Keep
	}
	return DefaultKeep
}

// countSynced counts time, where the log's age is by that.
func (w *Worker) countSynced(ctx context.Context, v *auditlog.View) (time.Duration, error) {
	window, err := v.OpenWindow(ctx)
	if err != nil {
		return 0, err
	}
	return w.time.lookSynced(ctx, v, window.Checkpoints)
}

// moment asks for the present.
func (w *Worker) moment(ctx context.Context, v *auditlog.View, counted time.Duration) Moment {
	m := Moment{Counted: counted}
	if w.o.Ledger == nil || v.Genesis().GetAnchor() == nil {
		return m
	}
	closed, err := w.o.Ledger.LedgerClosedAt(ctx)
	if err != nil {
		w.o.Logger.Debug("the ledger's time is that of the newest receipt", "err", err)
		return m
	}
	m.Ledger = closed
	return m
}

// begin plans, and writes down what is to go, if anything may. The entry is durable
// when it returns.
func (w *Worker) begin(ctx context.Context, v *auditlog.View, counted time.Duration, now bool) (turn, error) {
	idle := turn{state: stateIdle, first: v.First()}
	if !now && (w.o.Keep <= 0 || w.o.Every <= 0 || w.o.Clock.Monotonic() < w.next) {
		return idle, nil
	}
	plan, err := w.planAt(ctx, v, counted)
	if err != nil {
		return idle, err
	}
	var found Survey
	if plan.Through != nil {
		if found, err = survey(ctx, v, *plan.Through); err != nil {
			return idle, err
		}
	}
	if idle.plan = plan; !found.Worth {
		w.planned()
		return idle, nil
	}
	c := &retentionv1.Cutting{
		FirstOffset: plan.First, LastOffset: plan.Through.Offset, Root: plan.Through.Root[:], Behind: v.Tip().Offset,
	}
	if err := w.appendSynced(ctx, c, w.policy(v, found), plan.Archive); err != nil {
		return idle, err
	}
	w.planned()
	return turn{state: stateBegun, first: plan.First, plan: plan, cutting: c}, nil
}

// planned puts off the next plan. After one that failed there is another at once.
func (w *Worker) planned() { w.next = w.o.Clock.Monotonic() + w.o.Every }

func (w *Worker) planAt(ctx context.Context, v *auditlog.View, counted time.Duration) (*Plan, error) {
	p := planner{view: v, keep: w.o.Keep, now: w.moment(ctx, v, counted), archive: w.o.Archive}
	return p.run(ctx)
}

// policy is what the Prune entry says of the rules.
func (w *Worker) policy(v *auditlog.View, found Survey) auditlog.PrunePolicy {
	p := auditlog.PrunePolicy{
		Keep: w.o.Keep, Clock: auditlog.PruneByCount, Cut: auditlog.PruneSealed, Kept: found.Kept, KeptHash: found.KeptHash,
	}
	if v.Genesis().GetAnchor() != nil {
		p.Clock, p.Cut = auditlog.PruneByLedger, auditlog.PruneAnchored
	}
	return p
}

// appendSynced returns after the Prune entry is durable and kept as the one under
// way. That one will come is kept before it does.
func (w *Worker) appendSynced(ctx context.Context, c *retentionv1.Cutting, policy auditlog.PrunePolicy, archive []byte) error {
	d, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Prune{Prune: &logv1.Prune{
		FirstOffset: c.GetFirstOffset(), LastOffset: c.GetLastOffset(), Root: c.GetRoot(), Policy: policy.String(), ArchiveSha256: archive,
	}}})
	if err != nil {
		return err
	}
	if err := w.keepSynced(ctx, c); err != nil {
		return err
	}
	placed, err := w.log.AppendSynced(ctx, d)
	if err != nil {
		return fmt.Errorf("append prune entry: %w", err)
	}
	c.PruneOffset = placed.Offset
	w.o.Logger.Info("prune entry written", "offset", placed.Offset, "first", c.GetFirstOffset(), "through", c.GetLastOffset(), "policy", policy)
	return w.keepSynced(ctx, c)
}

func (w *Worker) keepSynced(ctx context.Context, c *retentionv1.Cutting) error {
	r, err := record(keyCutting, c)
	if err != nil {
		return err
	}
	return w.log.KeepSynced(ctx, r)
}

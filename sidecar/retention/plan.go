package retention

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"verbatim/sidecar/auditlog"
)

// By is a rule that can hold entries back.
type By string

// The rules.
const (
	ByForever By = "forever" // the keep time is 0
	ByAge     By = "age"
	ByAnchor  By = "anchor"
	ByOpen    By = "open"
	ByHold    By = "hold"
	ByArchive By = "archive"
)

// Rules are all rules.
func Rules() []By { return []By{ByForever, ByAge, ByAnchor, ByOpen, ByHold, ByArchive} }

// Held is a rule that keeps a sealed window from being pruned.
type Held struct {
	By By
	// Offset: only a checkpoint before it may be cut at.
	Offset uint64
	// Text says why, in words.
	Text string
}

// Plan is how far a log may be pruned now, and why not further.
type Plan struct {
	// First is the first offset that is there.
	First uint64
	// Through is the checkpoint up to which entries may go; nil if none may.
	Through *auditlog.CheckpointAt
	// Archive is the digest that the Prune entry gives; nil where there is no archive.
	Archive []byte
	// Held has every rule that holds back a window, the most binding first.
	Held []Held
}

// Archive is where sealed windows are copied to.
type Archive interface {
	// ArchivedThrough returns the last offset of what is in the archive without a
	// hole, the digest of the manifest that says so, and false if nothing is.
	ArchivedThrough(ctx context.Context) (offset uint64, manifestSHA256 []byte, ok bool, err error)
}

// Moment is the present as far as it can be told.
type Moment struct {
	// Counted is the counted clock's; for logs without an anchor.
	Counted time.Duration
	// Ledger is when the newest ledger closed; zero if nobody was asked: then the
	// newest receipt tells.
	Ledger time.Time
}

// planner finds how far a view may be pruned.
type planner struct {
	view     *auditlog.View
	keep     time.Duration // 0: for ever
	now      Moment
	archive  Archive // nil: none
	firstID  uint64  // the first checkpoint behind what is pruned
	sealed   uint64  // how many checkpoints there are
	open     []uint64
	plan     *Plan
	anchored bool
}

// plan applies every rule to the checkpoints of a view. It writes nothing.
func (p *planner) run(ctx context.Context) (*Plan, error) {
	if err := p.begin(ctx); err != nil {
		return nil, fmt.Errorf("plan pruning: %w", err)
	}
	if p.sealed <= p.firstID {
		return p.plan, nil // no checkpoint to cut at
	}
	for _, rule := range []func(context.Context) error{p.age, p.requests, p.holds, p.archived} {
		if err := rule(ctx); err != nil {
			return nil, fmt.Errorf("plan pruning: %w", err)
		}
	}
	slices.SortStableFunc(p.plan.Held, func(a, b Held) int { return cmp.Compare(a.Offset, b.Offset) })
	if err := p.cut(); err != nil {
		return nil, fmt.Errorf("plan pruning: %w", err)
	}
	return p.plan, nil
}

func (p *planner) begin(ctx context.Context) error {
	p.plan = &Plan{First: p.view.First()}
	p.anchored = p.view.Genesis().GetAnchor() != nil
	w, err := p.view.OpenWindow(ctx)
	if err != nil {
		return err
	}
	p.sealed, p.open = w.Checkpoints, w.Open
	if cut, ok := p.view.Cut(); ok {
		e, err := p.view.Entry(cut.Offset)
		if err != nil {
			return err
		}
		ev, err := e.Event()
		if err != nil {
			return err
		}
		p.firstID = ev.GetCheckpoint().GetCheckpointId() + 1
	}
	return nil
}

// hold notes that nothing from an offset on may go.
func (p *planner) hold(by By, offset uint64, format string, args ...any) {
	p.plan.Held = append(p.plan.Held, Held{by, offset, fmt.Sprintf(format, args...)})
}

// behind is the offset behind a checkpoint, or the first there is.
func (p *planner) behind(c *auditlog.CheckpointAt) uint64 {
	if c == nil {
		return p.plan.First
	}
	return c.Offset + 1
}

// requests: a request that has no outcome stays, with all behind it.
func (p *planner) requests(context.Context) error {
	if len(p.open) > 0 {
		p.hold(ByOpen, p.open[0], "request %d has no outcome yet, and %d others behind it", p.open[0], len(p.open)-1)
	}
	return nil
}

func (p *planner) holds(ctx context.Context) error {
	holds, err := Holds(ctx, p.view)
	if err != nil {
		return err
	}
	for _, h := range holds {
		offset, ok, err := firstHeld(ctx, p.view, h)
		if err != nil {
			return fmt.Errorf("hold %s: %w", h.GetId(), err)
		}
		if ok {
			p.hold(ByHold, offset, "hold %s on %s: %s", h.GetId(), Scope(h), h.GetReason())
		}
	}
	return nil
}

func (p *planner) archived(ctx context.Context) error {
	if p.archive == nil {
		return nil
	}
	through, digest, ok, err := p.archive.ArchivedThrough(ctx)
	if err != nil {
		// Nothing goes that may not be there.
		p.hold(ByArchive, p.plan.First, "the archive does not answer: %v", err)
		return nil
	}
	if !ok {
		p.hold(ByArchive, p.plan.First, "nothing is archived yet")
		return nil
	}
	p.plan.Archive = digest
	p.hold(ByArchive, through+1, "entries behind offset %d are not archived yet", through)
	return nil
}

// cut finds the newest checkpoint before the most binding rule, and drops the rules
// that hold back no checkpoint.
func (p *planner) cut() error {
	newest, err := p.view.Checkpoint(p.sealed - 1)
	if err != nil {
		return err
	}
	p.plan.Held = slices.DeleteFunc(p.plan.Held, func(h Held) bool { return h.Offset > newest.Offset })
	c := newest
	if len(p.plan.Held) > 0 {
		before, err := p.checkpointBefore(p.plan.Held[0].Offset)
		if err != nil || before == nil {
			return err
		}
		c = *before
	}
	p.plan.Through = &c
	return nil
}

// checkpointBefore is the newest checkpoint behind what is pruned and before an
// offset; nil if there is none.
func (p *planner) checkpointBefore(offset uint64) (*auditlog.CheckpointAt, error) {
	var found *auditlog.CheckpointAt
	lo, hi := p.firstID, p.sealed
	for lo < hi {
		mid := lo + (hi-lo)/2
		c, err := p.view.Checkpoint(mid)
		if err != nil {
			return nil, err
		}
		if c.Offset < offset {
			found, lo = &c, mid+1
		} else {
			hi = mid
		}
	}
	return found, nil
}

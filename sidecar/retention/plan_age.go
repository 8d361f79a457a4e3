package retention

import (
	"context"
	"fmt"
	"time"

	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
)

// age: everything that goes is older than the keep time.
func (p *planner) age(ctx context.Context) error {
	if p.keep <= 0 {
		p.hold(ByForever, p.plan.First, "the keep time is 0: everything is kept for ever")
		return nil
	}
	if p.anchored {
		return p.ageByLedger(ctx)
	}
	aged, err := agedByCount(ctx, p.view, p.keep, p.now.Counted)
	if err != nil {
		return err
	}
	if p.old(aged) {
		p.hold(ByAge, p.behind(aged), "entries behind offset %d are not yet %s old, by the time that was counted while verbatim ran", aged.Offset, Days(p.keep))
	} else {
		p.hold(ByAge, p.plan.First, "no checkpoint is %s old yet, by the time that was counted while verbatim ran (%s in all)", Days(p.keep), Days(p.now.Counted.Truncate(time.Second)))
	}
	return nil
}

// old says that a checkpoint is there, and not pruned.
func (p *planner) old(c *auditlog.CheckpointAt) bool { return c != nil && c.Offset > p.plan.First }

// ageByLedger also holds back what no receipt covers.
func (p *planner) ageByLedger(ctx context.Context) error {
	newest, err := anchor.NewestReceipt(p.view)
	if err != nil {
		return err
	}
	if newest == nil {
		p.hold(ByAnchor, p.plan.First, "nothing is anchored yet")
		return nil
	}
	anchored, err := covered(p.view, newest)
	if err != nil {
		return err
	}
	p.hold(ByAnchor, p.behind(anchored), "entries behind offset %d are not anchored yet", anchored.Offset)
	now := time.Unix(newest.GetClosedAt(), 0)
	if p.now.Ledger.After(now) {
		now = p.now.Ledger
	}
	aged, err := agedByLedger(ctx, p.view, p.keep, now, p.firstID)
	if err != nil {
		return err
	}
	at := now.UTC().Format(time.RFC3339)
	if p.old(aged) {
		p.hold(ByAge, p.behind(aged), "entries behind offset %d are not yet %s old, by the newest ledger known, closed at %s", aged.Offset, Days(p.keep), at)
	} else {
		p.hold(ByAge, p.plan.First, "nothing was anchored %s before the newest ledger known, closed at %s", Days(p.keep), at)
	}
	return nil
}

// Days shows a duration, whole days as such.
func Days(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
}

package retention

import (
	"context"
	"time"

	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/auditlog"
)

// Preview is what would be pruned now. Nothing is.
type Preview struct {
	*Plan
	// Survey is of what would go; zero if nothing would.
	Survey Survey
	// UnderWay is a pruning whose entry is in the chain, nil if there is none.
	UnderWay *retentionv1.Cutting
}

// Foresee says what would be pruned of a log now. keep 0 is for ever. archive may be
// nil, ledger zero. It reads all that would go, and writes nothing.
func Foresee(ctx context.Context, v *auditlog.View, keep time.Duration, ledger time.Time, archive Archive) (*Preview, error) {
	counted, err := readCounted(v)
	if err != nil {
		return nil, err
	}
	p := &Preview{}
	planner := planner{view: v, keep: keep, now: Moment{Counted: counted, Ledger: ledger}, archive: archive}
	if p.Plan, err = planner.run(ctx); err != nil {
		return nil, err
	}
	if p.UnderWay, err = readCutting(v); err != nil {
		return nil, err
	}
	if p.Through != nil {
		if p.Survey, err = survey(ctx, v, *p.Through); err != nil {
			return nil, err
		}
		if !p.Survey.Worth {
			p.Through, p.Survey = nil, Survey{} // a prune entry alone is not worth another
		}
	}
	return p, nil
}

// Foresee says what this worker would prune now.
func (w *Worker) Foresee(ctx context.Context) (*Preview, error) {
	v, err := w.log.View()
	if err != nil {
		return nil, err
	}
	defer v.Close()
	return Foresee(ctx, v, w.o.Keep, w.moment(ctx, v, 0).Ledger, w.o.Archive)
}

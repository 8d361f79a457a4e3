package backup

import (
	"context"
	"fmt"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

// identity is what a copy must have of its log.
type identity struct {
	id  chain.Hash
	tip auditlog.Tip
}

// look opens a log and tells what it is.
func look(dir string) (identity, error) {
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		return identity{}, err
	}
	defer v.Close()
	return identity{v.ID(), v.Tip()}, nil
}

// check opens a finished copy, compares it with what was seen of the log, and
// verifies all of it.
func check(ctx context.Context, dir string, seen identity, r *Result) error {
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		return fmt.Errorf("open the copy: %w", err)
	}
	defer v.Close()
	if got := (identity{v.ID(), v.Tip()}); got != seen {
		return fmt.Errorf("%w: the copy of log %s ends at %d, the log %s ended at %d", ErrChanged, got.id, got.tip.Offset, seen.id, seen.tip.Offset)
	}
	r.ID, r.Tip, r.First, r.Anchor = v.ID(), v.Tip(), v.First(), v.Genesis().GetAnchor()
	if r.Report, err = verify.Verify(ctx, v, verify.Options{}); err != nil {
		return fmt.Errorf("check the copy: %w", err)
	}
	return nil
}

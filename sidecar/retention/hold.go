package retention

import (
	"context"
	"errors"
	"fmt"

	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/auditlog"
)

// Holds returns the holds on a log, in the order of their ids.
func Holds(ctx context.Context, v *auditlog.View) ([]*retentionv1.Hold, error) {
	var list []*retentionv1.Hold
	for r, err := range v.Records(ctx, prefixHolds, nil) {
		h := &retentionv1.Hold{}
		if err == nil {
			err = decode(r.Key, r.Value, h)
		}
		if err != nil {
			return nil, fmt.Errorf("read holds: %w", err)
		}
		list = append(list, h)
	}
	return list, nil
}

// ErrHold says that a hold is not one.
var ErrHold = errors.New("no hold can be made of it")

// checkHold says in a sentence what is wrong with a hold that somebody wants.
func checkHold(h *retentionv1.Hold) error {
	r := h.GetRange()
	switch {
	case h.GetReason() == "":
		return fmt.Errorf("%w: say the reason: whoever finds the hold years later has to know it", ErrHold)
	case h.GetScope() == nil, h.GetMeterId() == "" && r == nil && h.GetAll() == nil:
		return fmt.Errorf("%w: say what to hold: a meter, a range of offsets, or all", ErrHold)
	case r.GetFrom() > r.GetTo():
		return fmt.Errorf("%w: the range from %d to %d is empty", ErrHold, r.GetFrom(), r.GetTo())
	}
	return nil
}

// Scope says in words what a hold protects.
func Scope(h *retentionv1.Hold) string {
	switch s := h.GetScope().(type) {
	case *retentionv1.Hold_MeterId:
		return fmt.Sprintf("meter %q", s.MeterId)
	case *retentionv1.Hold_Range:
		return fmt.Sprintf("offsets %d to %d", s.Range.GetFrom(), s.Range.GetTo())
	case *retentionv1.Hold_All:
		return "all"
	}
	return "nothing that this version knows"
}

// firstHeld is the first offset of what is left that a hold protects; ok is false
// if there is none. A hold of a kind that this version doesn't know protects all.
func firstHeld(ctx context.Context, v *auditlog.View, h *retentionv1.Hold) (offset uint64, ok bool, err error) {
	first := v.First()
	switch s := h.GetScope().(type) {
	case *retentionv1.Hold_MeterId:
		of := auditlog.Lookup{AllOf: [][]auditlog.Term{{auditlog.MeterTerm(s.MeterId)}}, From: first, To: v.Tip().Offset}
		for offset, err := range v.Find(ctx, of) {
			return offset, err == nil, err
		}
		return 0, false, nil
	case *retentionv1.Hold_Range:
		return max(first, s.Range.GetFrom()), s.Range.GetTo() >= first, nil
	}
	return first, true, nil
}

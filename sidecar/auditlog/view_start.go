package auditlog

import (
	"context"
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// StartBefore returns the newest Start at or before an offset, and where it stands; nil
// if there is none. What was pruned had its Starts, and they are kept. Errors:
// ErrDamaged, ErrReopened, ctx's.
func (v *View) StartBefore(ctx context.Context, offset uint64) (at uint64, found *logv1.Start, err error) {
	starts := Lookup{AllOf: [][]Term{{KindTerm(KindStart)}}, From: v.First(), To: offset, Backward: true}
	for at, err := range v.Find(ctx, starts) {
		if err != nil {
			return 0, nil, fmt.Errorf("find the newest start: %w", err)
		}
		e, err := v.Entry(at)
		if err != nil {
			return 0, nil, err
		}
		s, err := startOf(e)
		return at, s, err
	}
	for e, err := range v.Kept(ctx) {
		if err != nil {
			return 0, nil, err
		}
		s, err := startOf(e)
		if err != nil {
			return 0, nil, err
		}
		if s != nil && e.Offset <= offset {
			at, found = e.Offset, s
		}
	}
	return at, found, nil
}

// startOf is the Start that an entry holds, nil for another event.
func startOf(e Entry) (*logv1.Start, error) {
	kind, _, err := Peek(e.Raw)
	if err != nil || kind != KindStart {
		return nil, err
	}
	ev, err := e.Event()
	return ev.GetStart(), err
}

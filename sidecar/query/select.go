package query

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"verbatim/sidecar/auditlog"
)

// Select yields the selected entries of a view, in order. After an error it
// ends. Errors: ErrSelection, ErrRange, auditlog.ErrReopened,
// auditlog.ErrDamaged where an entry is missing, ctx's.
func Select(ctx context.Context, v *auditlog.View, s Selection) iter.Seq2[auditlog.Entry, error] {
	return func(yield func(auditlog.Entry, error) bool) {
		var r span
		var err error
		r.from, r.behind, err = s.Span(v)
		if err != nil {
			yield(auditlog.Entry{}, err)
			return
		}
		if r.from >= r.behind {
			return
		}
		entries := inOrder(ctx, v, r)
		if len(s.Meters) > 0 {
			entries = ofMeters(ctx, v, s.Meters, r)
		}
		given := uint64(0)
		for e, err := range entries {
			if !yield(e, err) {
				return
			}
			if given++; given == s.Limit {
				return
			}
		}
	}
}

// span is the offsets from..behind-1.
type span struct{ from, behind uint64 }

// inOrder yields all entries of a span, which is not empty.
func inOrder(ctx context.Context, v *auditlog.View, r span) iter.Seq2[auditlog.Entry, error] {
	return func(yield func(auditlog.Entry, error) bool) {
		next := r.from
		for e, err := range v.Entries(ctx, r.from, r.behind-1) {
			if err != nil {
				yield(auditlog.Entry{}, fmt.Errorf("select entries: %w", err))
				return
			}
			if e.Offset != next {
				yield(auditlog.Entry{}, missing(next))
				return
			}
			if !yield(e, nil) {
				return
			}
			next++
		}
		if next < r.behind {
			yield(auditlog.Entry{}, missing(next))
		}
	}
}

func missing(offset uint64) error {
	return fmt.Errorf("select entries: %w: entry %d is missing", auditlog.ErrDamaged, offset)
}

// ofMeters yields the entries of any of the meters, each once.
func ofMeters(ctx context.Context, v *auditlog.View, meters []string, r span) iter.Seq2[auditlog.Entry, error] {
	return func(yield func(auditlog.Entry, error) bool) {
		offsets, err := union(v, meters, r)
		if err != nil {
			yield(auditlog.Entry{}, fmt.Errorf("select entries: %w", err))
			return
		}
		for _, o := range offsets {
			e, err := v.Entry(o)
			switch {
			case ctx.Err() != nil:
				err = fmt.Errorf("select entries: %w", context.Cause(ctx))
			case errors.Is(err, auditlog.ErrNoEntry):
				err = missing(o)
			case err != nil:
				err = fmt.Errorf("select entries: %w", err)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// union is the offsets of all of the meters' entries, ascending.
func union(v *auditlog.View, meters []string, r span) ([]uint64, error) {
	var offsets []uint64
	for _, m := range meters {
		list, err := v.MeterOffsets(m, r.from, r.behind-1)
		if err != nil {
			return nil, err
		}
		offsets = append(offsets, list...)
	}
	slices.Sort(offsets)
	return slices.Compact(offsets), nil
}

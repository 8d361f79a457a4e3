package query

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"verbatim/sidecar/auditlog"
)

// Select yields the selected entries of a view, in the selection's order. After
// an error it ends. Errors: ErrSelection, ErrRange, ErrCursor,
// auditlog.ErrReopened, auditlog.ErrDamaged where an entry is missing, ctx's.
func Select(ctx context.Context, v *auditlog.View, s Selection) iter.Seq2[auditlog.Entry, error] {
	return func(yield func(auditlog.Entry, error) bool) {
		entries, err := s.entries(ctx, v)
		if err != nil {
			yield(auditlog.Entry{}, err)
			return
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

// entries are all that are selected, whatever the limit is.
func (s Selection) entries(ctx context.Context, v *auditlog.View) (iter.Seq2[auditlog.Entry, error], error) {
	var r span
	var err error
	if r.from, r.behind, err = s.Span(v); err != nil {
		return nil, err
	}
	if r.from >= r.behind {
		return func(func(auditlog.Entry, error) bool) {}, nil
	}
	sets, err := s.terms(v)
	switch {
	case err != nil:
		return nil, fmt.Errorf("select entries: %w", err)
	case len(sets) > 0:
		return atOffsets(ctx, v, v.Find(ctx, auditlog.Lookup{
			AllOf: sets, From: r.from, To: r.behind - 1, Backward: s.Order == NewestFirst,
		})), nil
	case s.Order == NewestFirst:
		return atOffsets(ctx, v, r.backward()), nil
	}
	return inOrder(ctx, v, r), nil
}

// terms are the sets of terms of which a selected entry has one each.
func (s Selection) terms(v *auditlog.View) (sets [][]auditlog.Term, err error) {
	var meters, kinds, statuses []auditlog.Term
	for _, m := range s.Meters {
		meters = append(meters, auditlog.MeterTerm(m))
	}
	for _, k := range s.Kinds {
		kinds = append(kinds, auditlog.KindTerm(k))
	}
	for _, status := range s.Statuses {
		if statuses, err = status.appendTerms(statuses, v); err != nil {
			return nil, err
		}
	}
	for _, of := range []struct {
		restricts bool
		terms     []auditlog.Term
	}{{len(s.Meters) > 0, meters}, {len(s.Statuses) > 0, statuses}, {len(s.Kinds) > 0, kinds}} {
		if of.restricts {
			sets = append(sets, distinct(of.terms))
		}
	}
	return sets, nil
}

// span is the offsets from..behind-1.
type span struct{ from, behind uint64 }

// backward yields the offsets of a span, the last first.
func (r span) backward() iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		for o := r.behind; o > r.from; o-- {
			if !yield(o-1, nil) {
				return
			}
		}
	}
}

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

// atOffsets yields the entries at offsets that were found.
func atOffsets(ctx context.Context, v *auditlog.View, offsets iter.Seq2[uint64, error]) iter.Seq2[auditlog.Entry, error] {
	return func(yield func(auditlog.Entry, error) bool) {
		for o, err := range offsets {
			var e auditlog.Entry
			if err == nil {
				e, err = v.Entry(o)
			}
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

package fsck

import (
	"context"
	"fmt"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// begins is where the entries of what is left begin.
type begins struct {
	cut  auditlog.Cut
	base [][]byte
}

// survey finds out what is proved, and gives it to load, which may be nil.
func survey(ctx context.Context, r *Report, left *auditlog.Remains, load func(begins) (func(auditlog.Entry) error, error)) (*walk, error) {
	r.Looked, r.Proved, r.Lost, r.Stranded, r.Why = true, nil, nil, nil, ""
	from, err := beginning(left)
	if err != nil {
		r.Why = err.Error()
		return nil, nil //nolint:nilnil,nilerr // there is nothing to walk, and that is said
	}
	r.Cut = from.cut
	tip, tipErr := left.Tip()
	if tipErr != nil {
		tip = auditlog.Tip{}
	}
	take := func(auditlog.Entry) error { return nil }
	if load != nil {
		if take, err = load(from); err != nil {
			return nil, err
		}
	}
	w, err := newWalk(from.cut, from.base, tip, func(e auditlog.Entry) error {
		r.Root = e.Hash()
		return take(e)
	})
	if err != nil {
		r.Why = err.Error()
		return nil, nil //nolint:nilnil,nilerr // there is nothing to walk, and that is said
	}
	w.finish(left.Entries(w.next, func(l auditlog.Left) bool { return ctx.Err() == nil && w.entry(l) }))
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if w.err != nil {
		return nil, w.err
	}
	r.walked(left, w, tip)
	return w, nil
}

// walked says what was proved, and what is left behind it.
func (r *Report) walked(left *auditlog.Remains, w *walk, tip auditlog.Tip) {
	r.Why = w.why
	if w.proved > w.cut.Offset {
		r.Proved = &auditlog.Range{First: w.cut.Offset, Last: w.proved - 1}
	}
	last := tip.Offset
	if durable, ok, err := left.Durable(); ok && err == nil {
		last = max(last, durable)
	}
	// What is stored behind the tip was never told to be durable.
	r.Stranded = left.Readable(w.proved, ^uint64(0)>>1)
	if last >= w.proved {
		r.Lost = &auditlog.Range{First: w.proved, Last: last}
		if r.Why == "" {
			r.Why = fmt.Sprintf("the entries end here, and were durable up to %d", last)
		}
	}
}

// beginning is where the log was cut, by what is stored, or by the entries.
func beginning(left *auditlog.Remains) (begins, error) {
	cut, err := left.Cut()
	if err != nil || cut != (auditlog.Cut{}) && !fits(left, cut) {
		cut = auditlog.Cut{}
	}
	if cut == (auditlog.Cut{}) {
		if cut, err = findCut(left); err != nil || cut == (auditlog.Cut{}) {
			return begins{}, err
		}
	}
	base, err := left.Base(cut)
	if err != nil {
		return begins{}, fmt.Errorf("the log was cut at %d, and the Merkle nodes of what was pruned are lost: %w", cut.Offset, err)
	}
	return begins{cut, base}, nil
}

// fits says that the entry at a cut has its root.
func fits(left *auditlog.Remains, cut auditlog.Cut) (ok bool) {
	err := left.Entries(cut.Offset, func(l auditlog.Left) bool {
		ok = l.Offset == cut.Offset && l.Linked && l.Hash() == cut.Root
		return false
	})
	return ok && err == nil
}

// findCut looks for the Prune entry that names the first entry that is left; zero if
// that is the genesis, or none is left.
func findCut(left *auditlog.Remains) (auditlog.Cut, error) {
	var first *auditlog.Left
	var root chain.Hash
	var cut auditlog.Cut
	var s auditlog.Summary
	err := left.Entries(0, func(l auditlog.Left) bool {
		if first == nil {
			first, root = &l, l.Hash()
		}
		if first.Offset == 0 {
			return false
		}
		if s.Summarize(l.Raw) == nil && s.Kind == auditlog.KindPrune {
			if at, ok := orders(l.Entry, first.Offset, root); ok {
				cut = at
			}
		}
		return true
	})
	switch {
	case first == nil && err != nil:
		return cut, fmt.Errorf("no entry can be read: %w", err)
	case first == nil:
		return cut, fmt.Errorf("%w: there is no entry", auditlog.ErrDamaged)
	case first.Offset > 0 && cut == (auditlog.Cut{}):
		return cut, fmt.Errorf("%w: the entries begin at %d, and no prune entry says so", auditlog.ErrDamaged, first.Offset)
	}
	return cut, nil
}

// orders is the cut that a Prune entry orders, if it is at that entry.
func orders(e auditlog.Entry, offset uint64, root chain.Hash) (auditlog.Cut, bool) {
	ev, err := e.Event()
	if err != nil {
		return auditlog.Cut{}, false
	}
	p := ev.GetPrune()
	named, ok := chain.FromBytes(p.GetRoot())
	return auditlog.Cut{Offset: offset, Root: root, PruneOffset: e.Offset}, ok && named == root && p.GetLastOffset() == offset
}

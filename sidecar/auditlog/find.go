package auditlog

import (
	"context"
	"fmt"
	"iter"
	"slices"
)

// Lookup says which entries are looked for in the index.
type Lookup struct {
	// AllOf are sets of terms, at least one: an entry has one term or more of each.
	AllOf [][]Term
	// From and To are offsets, both inclusive.
	From, To uint64
	// Backward: the newest first.
	Backward bool
}

// before says whether a comes before b in the direction of the look-up.
func (q Lookup) before(a, b uint64) bool {
	if q.Backward {
		return a > b
	}
	return a < b
}

// Find yields the offsets of the entries that are looked for, ascending, or
// descending if it goes backward. It goes from window to window and reads the
// lists of those windows alone that have a term of each set, so the first comes
// at once. After an error it ends. Errors: ErrDamaged, ErrReopened, ctx's.
func (v *View) Find(ctx context.Context, q Lookup) iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		f, err := v.newFinder(q)
		for windows := 1; err == nil && !f.done; windows = min(2*windows, chunkWindows) {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
				break
			}
			var found []uint64
			found, err = f.chunk(windows)
			for _, o := range found {
				if !yield(o, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(0, fmt.Errorf("look up entries: %w", err))
		}
	}
}

// Bounds of one chunk of a look-up: the log can't be closed while one is read.
const (
	chunkWindows = 64  // whose lists are read
	chunkSteps   = 512 // from window to window
)

// finder is where a look-up stands: at a window.
type finder struct {
	v    *View
	q    Lookup
	sets [][]*termLists
	next uint64 // the window to look at next
	last uint64
	done bool
}

func (v *View) newFinder(q Lookup) (*finder, error) {
	if v.noIndex != nil {
		return nil, v.noIndex
	}
	q.To = min(q.To, v.tip.Offset)
	f := &finder{v: v, q: q}
	if f.done = q.From > q.To; f.done {
		return f, nil
	}
	var err error
	if f.next, err = v.windowOf(q.From); err != nil {
		return nil, err
	}
	if f.last, err = v.windowOf(q.To); err != nil {
		return nil, err
	}
	if q.Backward {
		f.next, f.last = f.last, f.next
	}
	for _, terms := range q.AllOf {
		set := make([]*termLists, len(terms))
		for i, t := range terms {
			set[i] = &termLists{term: t}
		}
		f.sets = append(f.sets, set)
	}
	return f, nil
}

// chunk reads the lists of some windows at most; what it got before an error
// comes with it.
func (f *finder) chunk(windows int) (found []uint64, err error) {
	err = f.v.access.with(f.v.s, func() error {
		r := f.v.newListReader(f.q.Backward)
		defer r.close()
		for steps := 0; windows > 0 && steps < chunkSteps && !f.done; steps++ {
			agreed, err := f.step(r)
			if err != nil {
				return err
			}
			if !agreed {
				continue
			}
			offsets, err := f.window()
			if err != nil {
				return err
			}
			found = append(found, offsets...)
			windows--
			f.advance()
		}
		return nil
	})
	return found, err
}

// step moves to the next window that one of the sets has a list of, and says
// whether all of them have.
func (f *finder) step(r *listReader) (agreed bool, err error) {
	for _, set := range f.sets {
		at, some, err := f.seek(r, set)
		if err != nil {
			return false, err
		}
		if f.done = !some || f.q.before(f.last, at); f.done {
			return false, nil
		}
		if at != f.next {
			f.next = at
			return false, nil
		}
	}
	return true, nil
}

// seek moves a set to its next window, f.next or behind it.
func (f *finder) seek(r *listReader, set []*termLists) (at uint64, some bool, err error) {
	for _, l := range set {
		if l.stale(f.q, f.next) {
			if err := r.seek(l, f.next); err != nil {
				return 0, false, err
			}
		}
		if !l.ended && (!some || f.q.before(l.window, at)) {
			at, some = l.window, true
		}
	}
	return at, some, nil
}

// window is the offsets looked for in the window at which all sets are.
func (f *finder) window() ([]uint64, error) {
	var offsets []uint64
	for i, set := range f.sets {
		list, err := union(set, f.next)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			offsets = list
		} else {
			offsets = intersect(offsets, list)
		}
	}
	offsets = slices.DeleteFunc(offsets, func(o uint64) bool { return o < f.q.From || o > f.q.To })
	if f.q.Backward {
		slices.Reverse(offsets)
	}
	return offsets, nil
}

// advance leaves the window.
func (f *finder) advance() {
	if f.done = f.next == f.last; f.done {
		return
	}
	if f.q.Backward {
		f.next--
	} else {
		f.next++
	}
}

// union is what the lists of a window hold, ascending, a slice of its own.
func union(set []*termLists, window uint64) ([]uint64, error) {
	var offsets []uint64
	several := 0
	for _, l := range set {
		if l.ended || l.window != window {
			continue
		}
		var err error
		if offsets, err = l.appendTo(offsets); err != nil {
			return nil, err
		}
		several++
	}
	if several > 1 {
		slices.Sort(offsets)
		offsets = slices.Compact(offsets)
	}
	return offsets, nil
}

// intersect keeps what of a is in b; both ascend. It reuses a.
func intersect(a, b []uint64) []uint64 {
	return slices.DeleteFunc(a, func(o uint64) bool {
		for len(b) > 0 && b[0] < o {
			b = b[1:]
		}
		return len(b) == 0 || b[0] != o
	})
}

package auditlog

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/linxGnu/grocksdb"
)

// termLists is where a look-up stands among a term's lists: at a window, with
// that list, or behind the last.
type termLists struct {
	term   Term
	sought bool
	ended  bool
	window uint64
	stored []byte   // the list as it is stored, a copy; nil: it is in memory
	memory []uint64 // not to be changed
}

// stale says whether the list's place is before a window.
func (l *termLists) stale(q Lookup, window uint64) bool {
	return !l.sought || !l.ended && q.before(l.window, window)
}

// appendTo decodes the list.
func (l *termLists) appendTo(offsets []uint64) ([]uint64, error) {
	if l.stored == nil {
		return append(offsets, l.memory...), nil
	}
	return appendPostings(offsets, l.stored)
}

// listReader finds lists, the stored ones and those in memory, for one chunk of a
// look-up.
type listReader struct {
	v        *View
	it       *grocksdb.Iterator
	backward bool
}

func (v *View) newListReader(backward bool) *listReader {
	return &listReader{v: v, it: v.s.db.NewIteratorCF(v.read, v.s.family(cfTerms)), backward: backward}
}

func (r *listReader) close() { r.it.Close() }

// seek moves to the nearest window that has a list of the term: the given one or
// one behind it. Windows from v.indexed on are in memory, whatever is stored.
func (r *listReader) seek(l *termLists, window uint64) error {
	l.sought = true
	if r.backward {
		if r.inMemory(l, window) {
			return nil
		}
		if r.v.indexed == 0 {
			l.ended = true
			return nil
		}
		r.it.SeekForPrev(termKey(l.term, min(window, r.v.indexed-1)))
		return r.take(l)
	}
	if window < r.v.indexed {
		r.it.Seek(termKey(l.term, window))
		if err := r.take(l); err != nil || !l.ended && l.window < r.v.indexed {
			return err
		}
	}
	l.ended = !r.inMemory(l, window)
	return nil
}

// take reads the list at the iterator's place, if it is one of the term.
func (r *listReader) take(l *termLists) error {
	l.ended = !r.it.ValidForPrefix(termPrefix(l.term))
	if l.ended {
		if err := r.it.Err(); err != nil {
			return fmt.Errorf("read list of %s: %w: %w", l.term, ErrDamaged, err)
		}
		return nil
	}
	key, value := r.it.Key(), r.it.Value()
	defer key.Free()
	defer value.Free()
	t, window, ok := parseTermKey(key.Data())
	if !ok || t != l.term {
		return fmt.Errorf("read list of %s: %w: it has a key of %d bytes", l.term, ErrDamaged, key.Size())
	}
	l.window, l.stored, l.memory = window, append([]byte{}, value.Data()...), nil
	return nil
}

// inMemory finds the list among the windows in memory, if one has it.
func (r *listReader) inMemory(l *termLists, window uint64) bool {
	r.v.index.mu.Lock()
	defer r.v.index.mu.Unlock()
	windows := r.v.windows
	for i := range windows {
		w := windows[i]
		if r.backward {
			w = windows[len(windows)-1-i]
		}
		if w.id < r.v.indexed || r.backward && w.id > window || !r.backward && w.id < window {
			continue
		}
		if offsets := w.lists.of(l.term); len(offsets) > 0 {
			l.window, l.stored, l.memory = w.id, nil, offsets
			return true
		}
	}
	return false
}

// windowOf is the window that holds an offset of the view.
func (v *View) windowOf(offset uint64) (uint64, error) {
	// A window's first offset and id never change.
	i := sort.Search(len(v.windows), func(i int) bool { return v.windows[i].first > offset })
	if i > 0 {
		return v.windows[i-1].id, nil
	}
	var failed error
	id := sort.Search(int(v.windows[0].id), func(id int) bool {
		if failed != nil {
			return true
		}
		var at uint64
		at, failed = v.checkpointOffset(uint64(id))
		return at > offset
	})
	if errors.Is(failed, ErrNoEntry) {
		failed = fmt.Errorf("%w: a checkpoint up to %d has no record", ErrDamaged, v.windows[0].id)
	}
	return uint64(id), failed
}

// Statuses are those from first to last, both inclusive, that responses in the
// view may have, ascending. It reads one list of each.
func (v *View) Statuses(first, last uint32) ([]uint32, error) {
	if v.noIndex != nil {
		return nil, fmt.Errorf("look up statuses: %w", v.noIndex)
	}
	found, err := v.storedStatuses(first, last)
	if err != nil {
		return nil, fmt.Errorf("look up statuses: %w", err)
	}
	v.index.mu.Lock()
	defer v.index.mu.Unlock()
	for _, w := range v.windows {
		for status := range w.lists.statuses {
			if status >= first && status <= last {
				found = append(found, status)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// storedStatuses skips from the first list of one status to the next status'.
func (v *View) storedStatuses(first, last uint32) (found []uint32, err error) {
	prefix := termPrefix(StatusTerm(0))[:2]
	err = v.access.with(v.s, func() error {
		it := v.s.db.NewIteratorCF(v.read, v.s.family(cfTerms))
		defer it.Close()
		for next := uint64(first); next <= uint64(last); next = uint64(found[len(found)-1]) + 1 {
			it.Seek(termKey(StatusTerm(uint32(next)), 0))
			if !it.ValidForPrefix(prefix) {
				break
			}
			key := it.Key()
			t, _, ok := parseTermKey(key.Data())
			key.Free()
			if !ok {
				return fmt.Errorf("%w: a list of a status has no right key", ErrDamaged)
			}
			if t.status() > last {
				break
			}
			found = append(found, t.status())
		}
		return it.Err()
	})
	return found, err
}

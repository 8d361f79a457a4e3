package auditlog

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"

	"github.com/linxGnu/grocksdb"
)

// ListSum stands for a set of posting lists. Sets with equal sums are equal, but for
// a chance of 2^-128 that nobody can better: the key of the hash is this process's
// own.
type ListSum struct{ a, b, lists uint64 }

func (s *ListSum) add(o ListSum) { s.a, s.b, s.lists = s.a+o.a, s.b+o.b, s.lists+o.lists }

// ListHasher computes sums. It is not safe for use by several goroutines.
type ListHasher struct {
	a, b maphash.Seed
	buf  []byte
}

// NewListHasher returns a hasher whose sums can be compared with each other.
func NewListHasher() *ListHasher { return &ListHasher{a: maphash.MakeSeed(), b: maphash.MakeSeed()} }

// Another returns a hasher of the same key, for another goroutine.
func (h *ListHasher) Another() *ListHasher { return &ListHasher{a: h.a, b: h.b} }

// list is the sum of one list: its key's length, its key and its value.
func (h *ListHasher) list(key, value []byte) ListSum {
	h.buf = append(binary.AppendUvarint(h.buf[:0], uint64(len(key))), key...)
	h.buf = append(h.buf, value...)
	return ListSum{maphash.Bytes(h.a, h.buf), maphash.Bytes(h.b, h.buf), 1}
}

// Sum is the sum of a window's lists as they have to be stored.
func (h *ListHasher) Sum(window uint64, lists *Lists) (sum ListSum) {
	lists.Each(func(t Term, offsets []uint64) {
		sum.add(h.list(termKey(t, window), encodePostings(offsets)))
	})
	return sum
}

// StoredSums returns the sums of all lists that are stored, by window, for the windows
// from an id on. strange counts what is no list.
func (v *View) StoredSums(ctx context.Context, h *ListHasher, from uint64) (sums map[uint64]ListSum, strange int, err error) {
	sums = map[uint64]ListSum{}
	err = v.eachTerm(ctx, from, func(key, value []byte) {
		window, ok := termWindow(key)
		if !ok {
			strange++
			return
		}
		s := sums[window]
		s.add(h.list(key, value))
		sums[window] = s
	})
	return sums, strange, err
}

// chunkLists is how many lists are read at a time: the log can't be closed meanwhile.
const chunkLists = 1 << 14

// eachTerm calls f for every list from a window on, and for what is no list, in the
// order of their keys. f must not keep the slices.
func (v *View) eachTerm(ctx context.Context, from uint64, f func(key, value []byte)) error {
	var next []byte
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read lists: %w", context.Cause(ctx))
		}
		err := v.access.with(v.s, func() error {
			it := v.s.db.NewIteratorCF(v.scan, v.s.family(cfTerms))
			defer it.Close()
			n := 0
			for it.Seek(next); it.Valid() && n < chunkLists; n++ {
				next = termStep(it, from, next, f)
			}
			more = it.Valid()
			return it.Err()
		})
		if err != nil {
			return fmt.Errorf("read lists: %w: %w", ErrDamaged, err)
		}
	}
	return nil
}

// termStep takes the list at an iterator's place, or leaps over those of its term
// that are of earlier windows. It returns the key to go on from.
func termStep(it *grocksdb.Iterator, from uint64, next []byte, f func(key, value []byte)) []byte {
	key := it.Key()
	defer key.Free()
	if window, ok := termWindow(key.Data()); ok && window < from {
		next = append(next[:0], key.Data()[:key.Size()-8]...)
		next = binary.BigEndian.AppendUint64(next, from)
		it.Seek(next)
		return next
	}
	value := it.Value()
	f(key.Data(), value.Data())
	value.Free()
	next = append(append(next[:0], key.Data()...), 0)
	it.Next()
	return next
}

// ListsOf returns the lists that are stored for a window, by term. It reads every
// term's.
func (v *View) ListsOf(ctx context.Context, window uint64) (map[Term][]uint64, error) {
	lists := map[Term][]uint64{}
	var bad error
	err := v.eachTerm(ctx, window, func(key, value []byte) {
		t, w, ok := parseTermKey(key)
		if !ok || w != window {
			return
		}
		offsets, err := appendPostings(nil, value)
		if err != nil && bad == nil {
			bad = fmt.Errorf("read list of %s: %w", t, err)
		}
		lists[t] = offsets
	})
	if err == nil {
		err = bad
	}
	return lists, err
}

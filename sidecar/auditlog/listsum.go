package auditlog

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"
)

// ListSum stands for a set of posting lists. Sets with equal sums are equal, but for a
// chance of 2^-64 that nobody can better: the key of the hash is this process's own.
//
// It adds a hash of each list of a kind or a status, which are few and long, and one of
// each offset in a list of a meter, which are many and short: so whoever makes the sum
// from entries keeps no list for each meter.
type ListSum struct{ sum, count uint64 }

// MeterHash stands for a meter's term.
type MeterHash uint64

// ListHasher computes sums. It is not safe for use by several goroutines.
type ListHasher struct {
	seed    maphash.Seed
	buf     []byte
	offsets []uint64 // of the list that was read last
	posting [16]byte
}

// NewListHasher returns a hasher whose sums can be compared with each other.
func NewListHasher() *ListHasher { return &ListHasher{seed: maphash.MakeSeed()} }

// Another returns a hasher of the same key, for another goroutine.
func (h *ListHasher) Another() *ListHasher { return &ListHasher{seed: h.seed} }

// Meter returns the hash of a meter's term.
func (h *ListHasher) Meter(id []byte) MeterHash {
	h.buf = append(binary.AppendUvarint(h.buf[:0], uint64(1+len(id))), meterTerm)
	return h.prefix(append(h.buf, id...))
}

// prefix returns the hash of the term that begins a list's key.
func (h *ListHasher) prefix(p []byte) MeterHash { return MeterHash(maphash.Bytes(h.seed, p)) }

// offset adds an offset that belongs to a meter.
func (h *ListHasher) offset(s *ListSum, m MeterHash, offset uint64) {
	binary.NativeEndian.PutUint64(h.posting[:], uint64(m))
	binary.NativeEndian.PutUint64(h.posting[8:], offset)
	s.sum += maphash.Bytes(h.seed, h.posting[:])
	s.count++
}

// list adds a list as a whole: its key's length, its key and its value.
func (h *ListHasher) list(s *ListSum, key, value []byte) {
	h.buf = append(binary.AppendUvarint(h.buf[:0], uint64(len(key))), key...)
	h.buf = append(h.buf, value...)
	s.sum += maphash.Bytes(h.seed, h.buf)
	s.count++
}

// stored adds a list that is stored. One of a meter that is not spelled as it has to be
// is added as a whole, which no list that entries give is.
func (h *ListHasher) stored(s *ListSum, key, value []byte) {
	if _, n := binary.Uvarint(key); key[n] != meterTerm || !h.spelled(value) {
		h.list(s, key, value)
		return
	}
	m := h.prefix(key[:len(key)-8])
	for _, o := range h.offsets {
		h.offset(s, m, o)
	}
}

// spelled reads a list into h.offsets, and says whether it is one of ascending offsets
// as it has to be stored.
func (h *ListHasher) spelled(value []byte) bool {
	var err error
	if h.offsets, err = appendPostings(h.offsets[:0], value); err != nil || len(h.offsets) == 0 {
		return false
	}
	for i, o := range h.offsets[1:] {
		if o <= h.offsets[i] {
			return false
		}
	}
	h.buf = appendEncoded(h.buf[:0], h.offsets)
	return bytes.Equal(h.buf, value)
}

// StoredSums returns the sums of all lists that are stored, by window, for the windows
// from an id on. strange counts what is no list.
func (v *View) StoredSums(ctx context.Context, h *ListHasher, from uint64) (sums map[uint64]*ListSum, strange int, err error) {
	// Nearly all are of windows that the index reaches, so many that a map is slow.
	near := make([]ListSum, min(v.indexed, v.tip.Offset+1))
	sums = map[uint64]*ListSum{}
	err = v.eachTerm(ctx, from, func(key, value []byte) {
		window, ok := termWindow(key)
		switch {
		case !ok:
			strange++
		case window < uint64(len(near)):
			h.stored(&near[window], key, value)
		default:
			if sums[window] == nil {
				sums[window] = &ListSum{}
			}
			h.stored(sums[window], key, value)
		}
	})
	for window := range near {
		if near[window].count > 0 {
			sums[uint64(window)] = &near[window]
		}
	}
	return sums, strange, err
}

// chunkLists is how many lists are read at a time: the log can't be closed meanwhile.
const chunkLists = 512

// eachTerm calls f for every list from a window on, and for what is no list, in the
// order of their keys. f must not keep the slices.
func (v *View) eachTerm(ctx context.Context, from uint64, f func(key, value []byte)) error {
	r := &termReader{v: v, from: from, f: f}
	defer r.close()
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read lists: %w", context.Cause(ctx))
		}
		err := v.access.with(v.s, func() (err error) {
			more, err = r.chunk()
			return err
		})
		if err != nil {
			return fmt.Errorf("read lists: %w: %w", ErrDamaged, err)
		}
	}
	return nil
}

// termReader reads lists in the order of their keys.
type termReader struct {
	v     *View
	it    *storeIterator
	from  uint64
	f     func(key, value []byte)
	pairs pairs
	most  int // lists of the next chunk
	leap  []byte
}

// chunk reads some lists, and leaps over those of a term that are of earlier windows;
// false if there are no more.
func (r *termReader) chunk() (more bool, err error) {
	if r.it == nil {
		r.it, r.most = r.v.s.newIterator(r.v.scan, cfTerms), chunkLists
		r.it.SeekToFirst()
	}
	if r.pairs.read(r.it.Iterator, r.most) == 0 {
		return false, r.it.Err()
	}
	r.most = min(2*r.most, chunkLists)
	for key, value, some := r.pairs.next(); some; key, value, some = r.pairs.next() {
		window, ok := termWindow(key)
		if ok && window < r.from {
			r.leap = binary.BigEndian.AppendUint64(append(r.leap[:0], key[:len(key)-8]...), r.from)
			r.it.Seek(r.leap)
			r.most = 2 // another leap may follow
			break
		}
		r.f(key, value)
	}
	return true, nil
}

func (r *termReader) close() {
	if r.it != nil {
		_ = r.v.access.with(r.v.s, func() error { r.it.close(); return nil })
	}
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

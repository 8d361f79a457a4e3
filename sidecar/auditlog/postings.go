package auditlog

import (
	"encoding/binary"
	"fmt"
)

// A window's posting list of one term: the offsets of all entries that have it.
// The key is the term's length as a varint, the term, and the window's checkpoint
// id, big endian, so that a prefix holds one term's windows in order. The value is
// the first offset and then differences, as varints.

func termPrefix(t Term) []byte {
	return appendTermPrefix(make([]byte, 0, binary.MaxVarintLen64+len(t)+8), t)
}

func appendTermPrefix(b []byte, t Term) []byte {
	return append(binary.AppendUvarint(b, uint64(len(t))), t...)
}

func termKey(t Term, window uint64) []byte {
	return binary.BigEndian.AppendUint64(termPrefix(t), window)
}

// termWindow is the window in a list's key; ok is false for what is no such key.
func termWindow(key []byte) (window uint64, ok bool) {
	size, n := binary.Uvarint(key)
	if n <= 0 || len(key)-n < 8 || size != uint64(len(key)-n-8) {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[len(key)-8:]), true
}

// parseTermKey is the reverse of termKey.
func parseTermKey(key []byte) (t Term, window uint64, ok bool) {
	if window, ok = termWindow(key); !ok {
		return "", 0, false
	}
	_, n := binary.Uvarint(key)
	return Term(key[n : len(key)-8]), window, true
}

func encodePostings(offsets []uint64) []byte { return appendEncoded(nil, offsets) }

// appendEncoded appends the list of offsets as it is stored.
func appendEncoded(b []byte, offsets []uint64) []byte {
	last := uint64(0)
	for _, o := range offsets {
		b = binary.AppendUvarint(b, o-last)
		last = o
	}
	return b
}

// appendPostings appends the offsets of a stored list.
func appendPostings(offsets []uint64, b []byte) ([]uint64, error) {
	last := uint64(0)
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, fmt.Errorf("read posting list: %w: broken varint", ErrDamaged)
		}
		last += d
		offsets = append(offsets, last)
		b = b[n:]
	}
	return offsets, nil
}

// The time index has one key a sealed window: the clock of its first entry and
// its checkpoint id, big endian. The value is its first and last offset.

func timeKey(clockMS, window uint64) []byte {
	return encodePair(clockMS, window)
}

// encodePair is two numbers, big endian.
func encodePair(a, b uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, a), b)
}

func decodePair(v []byte) (a, b uint64, err error) {
	if len(v) != 16 {
		return 0, 0, fmt.Errorf("%w: %d bytes, want 16", ErrDamaged, len(v))
	}
	return binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:]), nil
}

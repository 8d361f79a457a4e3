package auditlog

import (
	"encoding/binary"
	"fmt"
)

// A window's posting list of one meter: the offsets of all its entries. The key
// is the meter id's length as a varint, the id, and the window's checkpoint id,
// big endian, so that a prefix holds one meter's windows in order. The value is
// the first offset and then differences, as varints.

func meterPrefix(id string) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(id))), id...)
}

func meterKey(id string, window uint64) []byte {
	return binary.BigEndian.AppendUint64(meterPrefix(id), window)
}

func encodePostings(offsets []uint64) []byte {
	var b []byte
	last := uint64(0)
	for _, o := range offsets {
		b = binary.AppendUvarint(b, o-last)
		last = o
	}
	return b
}

func decodePostings(b []byte) ([]uint64, error) {
	var offsets []uint64
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

package query

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// ErrCursor: the cursor is not one that this selection of this log can go on at.
var ErrCursor = errors.New("cursor does not fit")

// A cursor, before it is written in base64 for URLs: the version, the head of the
// log's id, the order, the head of a digest of the selection, the offset of the
// entry behind which it goes on, and a CRC-32 of all of these. Numbers are big
// endian. It is no secret and proves nothing.
const (
	cursorVersion = 1
	logAt         = 1
	orderAt       = logAt + headSize
	selectionAt   = orderAt + 1
	offsetAt      = selectionAt + headSize
	sumAt         = offsetAt + 8
	cursorSize    = sumAt + 4
	headSize      = 8
)

// Cursors makes the cursors of one selection of one log.
type Cursors struct{ head [offsetAt]byte }

// Cursors makes those of a log. Limit and Cursor don't matter to them.
func (s Selection) Cursors(log chain.Hash) Cursors {
	c := Cursors{}
	c.head[0], c.head[orderAt] = cursorVersion, byte(s.Order)
	copy(c.head[logAt:orderAt], log[:])
	digest := s.digest()
	copy(c.head[selectionAt:], digest[:])
	return c
}

// After is the cursor that goes on behind an entry.
func (c Cursors) After(offset uint64) string {
	b := binary.BigEndian.AppendUint64(append(make([]byte, 0, cursorSize), c.head[:]...), offset)
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
}

// digest is over what the selection restricts, however it was written.
func (s Selection) digest() chain.Hash {
	var b []byte
	for _, bound := range []*uint64{s.Start, s.End, s.FromMS, s.ToMS} {
		if bound == nil {
			b = append(b, 0)
		} else {
			b = binary.BigEndian.AppendUint64(append(b, 1), *bound)
		}
	}
	list := func(n int) { b = binary.BigEndian.AppendUint64(b, uint64(n)) }
	meters := distinct(s.Meters)
	list(len(meters))
	for _, m := range meters {
		list(len(m))
		b = append(b, m...)
	}
	kinds := distinct(s.Kinds)
	list(len(kinds))
	for _, k := range kinds {
		b = append(b, byte(k))
	}
	names := make([]string, len(s.Statuses))
	for i, status := range s.Statuses {
		names[i] = status.String()
	}
	for _, name := range distinct(names) {
		b = append(append(b, name...), 0)
	}
	return sha256.Sum256(b)
}

// given is the offset behind which the selection's cursor goes on.
func (s Selection) given(v *auditlog.View) (uint64, error) {
	b, err := base64.RawURLEncoding.DecodeString(s.Cursor)
	if err != nil || len(b) != cursorSize || b[0] != cursorVersion || crc32.ChecksumIEEE(b[:sumAt]) != binary.BigEndian.Uint32(b[sumAt:]) {
		return 0, fmt.Errorf("%w: %q is none that verbatim gave; copy it whole", ErrCursor, s.Cursor)
	}
	id, want := v.ID(), s.Cursors(v.ID())
	switch part := func(from, to int) bool { return bytes.Equal(b[from:to], want.head[from:to]) }; {
	case !part(logAt, orderAt):
		return 0, fmt.Errorf("%w: it is of another log, %x..., and this one is %x...", ErrCursor, b[logAt:orderAt], id[:headSize])
	case !part(orderAt, selectionAt):
		return 0, fmt.Errorf("%w: it goes on %s, and the selection is %s", ErrCursor, Order(b[orderAt]), s.Order)
	case !part(selectionAt, offsetAt):
		return 0, fmt.Errorf("%w: it is of another selection; give the offsets, times, meters, kinds and statuses with which it was made", ErrCursor)
	}
	offset := binary.BigEndian.Uint64(b[offsetAt:])
	if tip := v.Tip().Offset; offset > tip {
		return 0, fmt.Errorf("%w: it goes on behind entry %d, and the log ends at %d", ErrCursor, offset, tip)
	}
	return offset, nil
}

// distinct is what a list holds, sorted, each once, in a slice of its own.
func distinct[T string | auditlog.Kind | auditlog.Term](list []T) []T {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

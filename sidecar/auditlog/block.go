package auditlog

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"verbatim/sidecar/chain"
)

// A sealed window is stored in blocks of consecutive entries. The raw bytes of a
// block are one value, which compresses well; the previous entry hashes, which do
// not compress, are another. The key of both is the first offset. Event hashes
// are not stored: they are SHA-256 of the raw bytes (docs/decisions.md,
// "Sealed windows are rewritten into blocks").
//
// The first value is the number of entries, the length of each one's raw bytes, as
// varints, and the raw bytes; the second is the hashes.

// A block ends when it has as many entries, or as many octets, as this.
const (
	blockEntries = 128
	blockBytes   = 256 << 10
)

// block is some consecutive entries.
type block struct {
	first  uint64
	hashes []byte   // count previous entry hashes
	raws   [][]byte // subslices of one buffer,
	bodies []byte   // if it was decoded: this one,
	sizes  []uint32 // and their lengths
	room   []byte   // for what is copied
}

func (b *block) count() uint64 { return uint64(len(b.raws)) }

// at returns the entry at an offset that the block has. Raw is shared.
func (b *block) at(offset uint64) Entry {
	i := offset - b.first
	return Entry{Offset: offset, PrevEntryHash: chain.Hash(b.hashes[i*chain.Size:]), Raw: b.raws[i]}
}

// add takes an entry into the block; false if it has no room.
func (b *block) add(e Entry, size int) bool {
	if len(b.raws) == 0 {
		b.first = e.Offset
	} else if len(b.raws) >= blockEntries || size+len(e.Raw) > blockBytes {
		return false
	}
	b.hashes = append(b.hashes, e.PrevEntryHash[:]...)
	b.raws = append(b.raws, e.Raw)
	return true
}

// encodeRaws is the value with the raw bytes.
func (b *block) encodeRaws() []byte {
	v := binary.AppendUvarint(nil, uint64(len(b.raws)))
	for _, r := range b.raws {
		v = binary.AppendUvarint(v, uint64(len(r)))
	}
	for _, r := range b.raws {
		v = append(v, r...)
	}
	return v
}

// decodeBlock reads both values, and keeps them.
func decodeBlock(first uint64, raws, hashes []byte) (*block, error) {
	b := &block{}
	if err := b.decode(first, raws, hashes); err != nil {
		return nil, err
	}
	return b, nil
}

// decode is decodeBlock in place of what the block was.
func (b *block) decode(first uint64, raws, hashes []byte) error {
	bad := func(why string) error {
		b.raws = b.raws[:0]
		return fmt.Errorf("read entries from %d on: %w: their block %s", first, ErrDamaged, why)
	}
	count, n := binary.Uvarint(raws)
	if n <= 0 || count == 0 || count > blockEntries || count-1 > math.MaxUint64-first {
		return bad("has no count")
	}
	if uint64(len(hashes)) != count*chain.Size {
		return bad("has another number of hashes than of events")
	}
	rest := raws[n:]
	b.sizes = b.sizes[:0]
	for range count {
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)) || size > math.MaxUint32 {
			return bad("breaks off")
		}
		b.sizes, rest = append(b.sizes, uint32(size)), rest[n:]
	}
	b.first, b.hashes, b.raws, b.bodies = first, hashes, slices.Grow(b.raws[:0], int(count)), rest
	for _, size := range b.sizes {
		if int(size) > len(rest) {
			return bad("breaks off")
		}
		b.raws, rest = append(b.raws, rest[:size:size]), rest[size:]
	}
	if len(rest) > 0 {
		return bad("has more than its events")
	}
	return nil
}

// copy is decode of copies of both values, in the block's own room.
func (b *block) copy(first uint64, raws, hashes []byte) error {
	b.room = append(append(slices.Grow(b.room[:0], len(raws)+len(hashes)), raws...), hashes...)
	return b.decode(first, b.room[:len(raws):len(raws)], b.room[len(raws):])
}

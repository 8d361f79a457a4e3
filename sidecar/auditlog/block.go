package auditlog

import (
	"encoding/binary"
	"fmt"
	"math"

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
	raws   [][]byte // subslices of one buffer
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
	bad := func(why string) error {
		return fmt.Errorf("read entries from %d on: %w: their block %s", first, ErrDamaged, why)
	}
	count, n := binary.Uvarint(raws)
	if n <= 0 || count == 0 || count > blockEntries || count-1 > math.MaxUint64-first {
		return nil, bad("has no count")
	}
	if uint64(len(hashes)) != count*chain.Size {
		return nil, bad("has another number of hashes than of events")
	}
	rest := raws[n:]
	lengths := make([]uint64, count)
	for i := range lengths {
		if lengths[i], n = binary.Uvarint(rest); n <= 0 {
			return nil, bad("breaks off")
		}
		rest = rest[n:]
	}
	b := &block{first: first, hashes: hashes, raws: make([][]byte, count)}
	for i, length := range lengths {
		if length > uint64(len(rest)) {
			return nil, bad("breaks off")
		}
		b.raws[i], rest = rest[:length:length], rest[length:]
	}
	if len(rest) > 0 {
		return nil, bad("has more than its events")
	}
	return b, nil
}

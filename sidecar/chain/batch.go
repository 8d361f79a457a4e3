package chain

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/transparency-dev/merkle/rfc6962"
)

// Batch hashes many short messages that don't depend on each other. Where the processor
// has instructions for SHA-256 it does two at a time, in one call; elsewhere
// crypto/sha256 does one after the other. It is not safe for use by several goroutines.
type Batch struct {
	messages []byte // one behind the other, padded if by lanes
	blocks   []uint32
	ends     []int
	single   bool // by crypto/sha256
}

// NewBatch returns an empty batch.
func NewBatch() *Batch { return &Batch{single: !lanes} }

// Entry adds what Hasher.Entry hashes.
func (b *Batch) Entry(prev Hash, offset uint64, raw []byte) {
	var head [Size + 8]byte
	copy(head[:], prev[:])
	binary.BigEndian.PutUint64(head[Size:], offset)
	b.add(head[:], raw)
}

// Event adds what EventHash hashes.
func (b *Batch) Event(raw []byte) { b.add(nil, raw) }

func (b *Batch) leaf(entry Hash) {
	var m [1 + Size]byte
	m[0] = rfc6962.RFC6962LeafHashPrefix
	copy(m[1:], entry[:])
	b.add(m[:], nil)
}

func (b *Batch) join(left, right Hash) {
	var m [1 + Size]byte
	m[0] = rfc6962.RFC6962NodeHashPrefix
	copy(m[1:], left[:])
	b.add(m[:], right[:])
}

const blockSize = sha256.BlockSize

// add appends a message of two parts.
func (b *Batch) add(head, rest []byte) {
	size := len(head) + len(rest)
	if b.single {
		b.messages = append(append(b.messages, head...), rest...)
		b.ends = append(b.ends, len(b.messages))
		return
	}
	// FIPS 180-4, section 5.1.1: a one, zeros, and the length in bits.
	padded := (size + 1 + 8 + blockSize - 1) / blockSize * blockSize
	start := len(b.messages)
	b.messages = slices.Grow(b.messages, padded)[:start+padded]
	m := b.messages[start:]
	n := copy(m, head)
	n += copy(m[n:], rest)
	m[n] = 0x80
	clear(m[n+1 : padded-8])
	binary.BigEndian.PutUint64(m[padded-8:], uint64(size)*8)
	b.blocks = append(b.blocks, uint32(padded/blockSize))
}

// Sum appends the hashes of all messages, in the order in which they were added, and
// empties the batch.
func (b *Batch) Sum(hashes []Hash) []Hash {
	if b.single {
		start := 0
		for _, end := range b.ends {
			hashes = append(hashes, sha256.Sum256(b.messages[start:end]))
			start = end
		}
	} else if n := len(b.blocks); n > 0 {
		hashes = slices.Grow(hashes, n)[:len(hashes)+n]
		sumLanes(b.messages, b.blocks, hashes[len(hashes)-n:])
	}
	b.messages, b.blocks, b.ends = b.messages[:0], b.blocks[:0], b.ends[:0]
	return hashes
}

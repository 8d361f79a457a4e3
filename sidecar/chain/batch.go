package chain

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/transparency-dev/merkle/rfc6962"
)

// Batch hashes many short messages that don't depend on each other. Where the processor
// has instructions for SHA-256 it does two at a time, in one call; elsewhere
// crypto/sha256 does one after the other. It is not safe for use by several goroutines.
type Batch struct {
	single bool // by crypto/sha256
	events messages
	heads  []byte // of Entries
}

// NewBatch returns an empty batch.
func NewBatch() *Batch { return &Batch{single: !lanes} }

// messages are hashed together. Each is a head of less than 64 octets, and a body.
type messages struct {
	heads    []byte // one behind the other, or one that all have
	headSize int
	bodies   []byte   // one behind the other
	sizes    []uint32 // of the bodies, or one that all have
}

// Event adds what EventHash hashes: a copy of it.
func (b *Batch) Event(raw []byte) {
	b.events.bodies = append(b.events.bodies, raw...)
	b.events.sizes = append(b.events.sizes, uint32(len(raw)))
}

// Sum appends the hashes of all events, in the order in which they were added, and
// empties the batch.
func (b *Batch) Sum(hashes []Hash) []Hash {
	hashes = b.sum(hashes, len(b.events.sizes), &b.events)
	b.events.bodies, b.events.sizes = b.events.bodies[:0], b.events.sizes[:0]
	return hashes
}

// Entries appends what Hasher.Entry gives of entries with consecutive offsets: prevs are
// the previous hashes, raws the events, sizes their lengths, all one behind the other.
func (b *Batch) Entries(hashes []Hash, first uint64, prevs, raws []byte, sizes []uint32) []Hash {
	b.heads = b.heads[:0]
	for i := range sizes {
		b.heads = append(b.heads, prevs[i*Size:(i+1)*Size]...)
		b.heads = binary.BigEndian.AppendUint64(b.heads, first+uint64(i))
	}
	return b.sum(hashes, len(sizes), &messages{b.heads, Size + 8, raws, sizes})
}

// leaves appends the leaves of entry hashes.
func (b *Batch) leaves(hashes, entries []Hash) []Hash {
	return b.sum(hashes, len(entries), &messages{[]byte{rfc6962.RFC6962LeafHashPrefix}, 1, flat(entries), []uint32{Size}})
}

// joins appends the nodes that each two of a row make; one that has no other is left out.
func (b *Batch) joins(hashes, row []Hash) []Hash {
	return b.sum(hashes, len(row)/2, &messages{[]byte{rfc6962.RFC6962NodeHashPrefix}, 1, flat(row), []uint32{2 * Size}})
}

// flat are the hashes, one behind the other; not a copy.
func flat(hashes []Hash) []byte {
	if len(hashes) == 0 {
		return nil
	}
	return unsafe.Slice(&hashes[0][0], len(hashes)*Size)
}

func (b *Batch) sum(hashes []Hash, count int, m *messages) []Hash {
	if count == 0 {
		return hashes
	}
	start := len(hashes)
	hashes = slices.Grow(hashes, count)[:start+count]
	if b.single {
		m.sum(hashes[start:])
	} else {
		sumLanes(m, hashes[start:])
	}
	return hashes
}

// check panics if there are not as many messages.
func (m *messages) check(count int) {
	heads, bodies := m.headSize, 0
	if len(m.heads) > m.headSize {
		heads = count * m.headSize
	}
	for _, size := range m.sizes {
		bodies += int(size)
	}
	if len(m.sizes) == 1 {
		bodies *= count
	} else if len(m.sizes) != count {
		panic("messages have other sizes")
	}
	_, _ = m.heads[:heads:heads], m.bodies[:bodies:bodies]
}

// sum hashes one after the other.
func (m *messages) sum(out []Hash) {
	var message []byte
	head, body := m.heads[:m.headSize], m.bodies
	for i := range out {
		if len(m.heads) > m.headSize {
			head = m.heads[i*m.headSize:][:m.headSize]
		}
		size := m.sizes[min(i, len(m.sizes)-1)]
		message = append(append(message[:0], head...), body[:size]...)
		body = body[size:]
		out[i] = sha256.Sum256(message)
	}
}

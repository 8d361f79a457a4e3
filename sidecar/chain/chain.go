// Package chain computes the hashes that bind a log: entry hashes, roots over
// outputs, prefix digests and the Merkle tree (docs/LOG-FORMAT.md).
//
// It is pure: it reads nothing, writes nothing and keeps no global state. It
// does not know how entries are stored or what their bytes mean.
package chain

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
)

// Size is the length of a Hash in bytes.
const Size = sha256.Size

// Hash is a SHA-256 digest. The zero Hash is what precedes offset 0.
type Hash [Size]byte

// String is the hash in lower-case hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads 64 hexadecimal digits.
func ParseHash(s string) (Hash, error) {
	var h Hash
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != Size {
		return h, fmt.Errorf("parse hash %q: want %d hexadecimal digits", s, 2*Size)
	}
	return Hash(b), nil
}

// FromBytes copies b, which must have Size bytes; false otherwise.
func FromBytes(b []byte) (Hash, bool) {
	if len(b) != Size {
		return Hash{}, false
	}
	return Hash(b), true
}

// EventHash is SHA-256(raw).
func EventHash(raw []byte) Hash { return sha256.Sum256(raw) }

// Hasher computes entry hashes without allocating. It is not safe for use by
// several goroutines.
type Hasher struct{ buf []byte }

// NewHasher returns a Hasher.
func NewHasher() *Hasher { return &Hasher{} }

// maxBuffered is how long an event may be to be copied, in octets: one call over one
// buffer is faster than three.
const maxBuffered = 64 << 10

// Entry is SHA-256(prev || offset, big endian || raw).
func (h *Hasher) Entry(prev Hash, offset uint64, raw []byte) Hash {
	h.buf = binary.BigEndian.AppendUint64(append(h.buf[:0], prev[:]...), offset)
	if len(raw) <= maxBuffered {
		h.buf = append(h.buf, raw...)
		return sha256.Sum256(h.buf)
	}
	digest := sha256.New()
	digest.Write(h.buf)
	digest.Write(raw)
	return Hash(digest.Sum(nil))
}

// EntryHash is Hasher.Entry for a single use.
func EntryHash(prev Hash, offset uint64, raw []byte) Hash {
	return NewHasher().Entry(prev, offset, raw)
}

// Root is the running SHA-256 of concatenated hashes. Its zero value is the
// root of nothing: SHA-256 of the empty string. It is not safe for use by
// several goroutines.
type Root struct {
	digest hash.Hash
	count  uint64
	buf    [1]Hash // what is handed to digest, which would take a copy to the heap
}

// Add appends one hash.
func (r *Root) Add(h Hash) {
	r.buf[0] = h
	r.AddAll(r.buf[:])
}

// AddAll appends hashes in their order.
func (r *Root) AddAll(hashes []Hash) {
	if r.digest == nil {
		r.digest = sha256.New()
	}
	r.digest.Write(flat(hashes))
	r.count += uint64(len(hashes))
}

// Count is how many hashes were added.
func (r *Root) Count() uint64 { return r.count }

// Sum is the root over what was added so far.
func (r *Root) Sum() Hash {
	if r.digest == nil {
		return sha256.Sum256(nil)
	}
	return Hash(r.digest.Sum(nil))
}

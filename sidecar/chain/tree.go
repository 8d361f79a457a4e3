package chain

import (
	"crypto/sha256"
	"fmt"
	"math/bits"

	"github.com/transparency-dev/merkle/rfc6962"
)

// Tree is the RFC 6962 Merkle tree over entry hashes, kept as the few nodes
// that later leaves need. It is not safe for use by several goroutines.
//
// The roots of the complete subtrees that make up the leaves, the largest first, are
// what transparency-dev/merkle calls a compact range. This one makes no garbage: a
// verification adds every entry of a log.
type Tree struct {
	size  uint64
	nodes []Hash
	batch *Batch
	row   []Hash // of AddAll,
	next  []Hash // and the one above
}

// LeafHash is RFC 6962's hash of a leaf whose data is an entry hash.
func LeafHash(entry Hash) Hash {
	var b [1 + Size]byte
	b[0] = rfc6962.RFC6962LeafHashPrefix
	copy(b[1:], entry[:])
	return sha256.Sum256(b[:])
}

// Join is RFC 6962's hash of the subtree that two complete ones of the same size make.
func Join(left, right Hash) Hash {
	var b [1 + 2*Size]byte
	b[0] = rfc6962.RFC6962NodeHashPrefix
	copy(b[1:], left[:])
	copy(b[1+Size:], right[:])
	return sha256.Sum256(b[:])
}

// NodeID names the root of a complete subtree: 2^Level leaves from
// Index * 2^Level on.
type NodeID struct {
	Level uint
	Index uint64
}

// NewTree returns the empty tree.
func NewTree() *Tree { return &Tree{} }

// RestoreTree makes the tree of the given size from what Nodes returned.
func RestoreTree(size uint64, nodes [][]byte) (*Tree, error) {
	if len(nodes) != bits.OnesCount64(size) {
		return nil, fmt.Errorf("restore merkle tree of size %d: %d nodes, want %d", size, len(nodes), bits.OnesCount64(size))
	}
	t := &Tree{size: size}
	for _, n := range nodes {
		h, ok := FromBytes(n)
		if !ok {
			return nil, fmt.Errorf("restore merkle tree of size %d: a node of %d bytes", size, len(n))
		}
		t.nodes = append(t.nodes, h)
	}
	return t, nil
}

// Add appends a leaf whose data is an entry hash.
func (t *Tree) Add(entry Hash) {
	node := LeafHash(entry)
	for level := uint(0); t.size>>level&1 == 1; level++ {
		last := len(t.nodes) - 1
		node = Join(t.nodes[last], node)
		t.nodes = t.nodes[:last]
	}
	t.nodes = append(t.nodes, node)
	t.size++
}

// AddAll is Add for many entries, which is faster than one by one, and calls visit for
// every subtree that becomes complete, those of a level after all of the levels below.
// visit may be nil.
func (t *Tree) AddAll(entries []Hash, visit func(NodeID, Hash)) {
	if t.batch == nil {
		t.batch = NewBatch()
	}
	t.row = t.batch.leaves(t.row[:0], entries)
	var last [64]Hash // of the complete subtrees of a level one that has no sibling yet
	t.eachNode(func(level int, node *Hash) { last[level] = *node })
	first := t.size // the index of the row's first node
	for level := uint(0); len(t.row) > 0; level++ {
		for i := 0; visit != nil && i < len(t.row); i++ {
			visit(NodeID{level, first + uint64(i)}, t.row[i])
		}
		row := t.row
		t.next = t.next[:0]
		if first&1 == 1 {
			t.next = append(t.next, Join(last[level], row[0]))
			row = row[1:]
		}
		if len(row)&1 == 1 {
			last[level] = row[len(row)-1]
		}
		t.next = t.batch.joins(t.next, row)
		t.row, t.next = t.next, t.row
		first >>= 1
	}
	t.size += uint64(len(entries))
	t.nodes = t.nodes[:0]
	for range bits.OnesCount64(t.size) {
		t.nodes = append(t.nodes, Hash{})
	}
	t.eachNode(func(level int, node *Hash) { *node = last[level] })
}

// eachNode calls f for each of the nodes, the largest subtree's first.
func (t *Tree) eachNode(f func(level int, node *Hash)) {
	left := t.size
	for i := range t.nodes {
		level := bits.Len64(left) - 1
		left &^= 1 << level
		f(level, &t.nodes[i])
	}
}

// Size is the number of leaves.
func (t *Tree) Size() uint64 { return t.size }

// Nodes are the hashes from which RestoreTree makes the tree again, copies; at most
// 64.
func (t *Tree) Nodes() [][]byte {
	out := make([][]byte, len(t.nodes))
	for i := range t.nodes {
		out[i] = append([]byte(nil), t.nodes[i][:]...)
	}
	return out
}

// Root is the tree's root hash; of the empty tree SHA-256 of nothing.
func (t *Tree) Root() Hash {
	if t.size == 0 {
		return Hash(rfc6962.DefaultHasher.EmptyRoot())
	}
	root := t.nodes[len(t.nodes)-1]
	for i := len(t.nodes) - 2; i >= 0; i-- {
		root = Join(t.nodes[i], root)
	}
	return root
}

package chain

import (
	"crypto/sha256"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// Tree is the RFC 6962 Merkle tree over entry hashes, kept as the few nodes
// that later leaves need. It is not safe for use by several goroutines.
type Tree struct {
	nodes *compact.Range
}

var treeFactory = compact.RangeFactory{Hash: hashChildren}

// LeafHash is RFC 6962's hash of a leaf whose data is an entry hash.
func LeafHash(entry Hash) Hash {
	var b [1 + Size]byte
	b[0] = rfc6962.RFC6962LeafHashPrefix
	copy(b[1:], entry[:])
	return sha256.Sum256(b[:])
}

// hashChildren is RFC 6962's hash of two subtrees. The library's own allocates a
// hash.Hash for each.
func hashChildren(left, right []byte) []byte {
	var b [1 + 2*Size]byte
	b[0] = rfc6962.RFC6962NodeHashPrefix
	copy(b[1:], left)
	copy(b[1+Size:], right)
	h := sha256.Sum256(b[:])
	return h[:]
}

// NodeID names the root of a complete subtree: 2^Level leaves from
// Index * 2^Level on.
type NodeID struct {
	Level uint
	Index uint64
}

// NewTree returns the empty tree.
func NewTree() *Tree { return &Tree{nodes: treeFactory.NewEmptyRange(0)} }

// RestoreTree makes the tree of the given size from what Nodes returned.
func RestoreTree(size uint64, nodes [][]byte) (*Tree, error) {
	r, err := treeFactory.NewRange(0, size, nodes)
	if err != nil {
		return nil, fmt.Errorf("restore merkle tree of size %d: %w", size, err)
	}
	return &Tree{nodes: r}, nil
}

// Add appends a leaf whose data is an entry hash.
func (t *Tree) Add(entry Hash) error { return t.AddVisiting(entry, nil) }

// AddVisiting is Add that calls visit for every subtree that becomes complete,
// the leaf first. visit may be nil.
func (t *Tree) AddVisiting(entry Hash, visit func(NodeID, Hash)) error {
	var each compact.VisitFn
	if visit != nil {
		each = func(id compact.NodeID, hash []byte) { visit(NodeID(id), Hash(hash)) }
	}
	leaf := LeafHash(entry)
	if err := t.nodes.Append(leaf[:], each); err != nil {
		return fmt.Errorf("append merkle leaf %d: %w", t.nodes.End(), err)
	}
	return nil
}

// Size is the number of leaves.
func (t *Tree) Size() uint64 { return t.nodes.End() }

// Nodes are the hashes from which RestoreTree makes the tree again; at most 64.
// The caller must not change them.
func (t *Tree) Nodes() [][]byte { return t.nodes.Hashes() }

// Root is the tree's root hash; of the empty tree SHA-256 of nothing.
func (t *Tree) Root() (Hash, error) {
	if t.Size() == 0 {
		return Hash(rfc6962.DefaultHasher.EmptyRoot()), nil
	}
	root, err := t.nodes.GetRootHash(nil)
	if err != nil {
		return Hash{}, fmt.Errorf("compute merkle root of %d leaves: %w", t.Size(), err)
	}
	return Hash(root), nil
}

package chain

import (
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// Tree is the RFC 6962 Merkle tree over entry hashes, kept as the few nodes
// that later leaves need. It is not safe for use by several goroutines.
type Tree struct {
	nodes *compact.Range
}

var treeFactory = compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

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
func (t *Tree) Add(entry Hash) error {
	if err := t.nodes.Append(rfc6962.DefaultHasher.HashLeaf(entry[:]), nil); err != nil {
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

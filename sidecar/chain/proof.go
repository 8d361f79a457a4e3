package chain

import (
	"errors"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// NodeReader gives the hash of a complete subtree.
type NodeReader func(NodeID) (Hash, error)

// InclusionProof is the RFC 6962 audit path of an entry in the tree of the first
// size entries, lowest node first.
func InclusionProof(offset, size uint64, read NodeReader) ([]Hash, error) {
	nodes, err := proof.Inclusion(offset, size)
	if err != nil {
		return nil, fmt.Errorf("prove entry %d in a tree of %d: %w", offset, size, err)
	}
	return path(nodes, read)
}

// ConsistencyProof shows that the tree of the first size1 entries begins the tree
// of the first size2.
func ConsistencyProof(size1, size2 uint64, read NodeReader) ([]Hash, error) {
	nodes, err := proof.Consistency(size1, size2)
	if err != nil {
		return nil, fmt.Errorf("prove that a tree of %d begins one of %d: %w", size1, size2, err)
	}
	return path(nodes, read)
}

// path reads the nodes of a proof, and joins those that make up one subtree that
// is not complete.
func path(nodes proof.Nodes, read NodeReader) ([]Hash, error) {
	hashes := make([][]byte, len(nodes.IDs))
	for i, id := range nodes.IDs {
		h, err := read(NodeID(id))
		if err != nil {
			return nil, err
		}
		hashes[i] = h[:]
	}
	hashes, err := nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
	if err != nil {
		return nil, fmt.Errorf("join merkle nodes: %w", err)
	}
	out := make([]Hash, len(hashes))
	for i, h := range hashes {
		out[i] = Hash(h)
	}
	return out, nil
}

// TreeAt makes the tree of the first size entries from the nodes of a larger one.
func TreeAt(size uint64, read NodeReader) (*Tree, error) {
	ids := compact.RangeNodes(0, size, nil)
	hashes := make([][]byte, len(ids))
	for i, id := range ids {
		h, err := read(NodeID(id))
		if err != nil {
			return nil, err
		}
		hashes[i] = h[:]
	}
	return RestoreTree(size, hashes)
}

// VerifyInclusion is nil if the proof leads from the entry hash at an offset to the
// root of the tree of the first size entries (RFC 6962, section 2.1.1).
func VerifyInclusion(offset, size uint64, entry Hash, path []Hash, root Hash) error {
	leaf := LeafHash(entry)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, offset, size, leaf[:], octets(path), root[:]); err != nil {
		return fmt.Errorf("check inclusion of entry %d in a tree of %d: %w", offset, size, inOneLine(err))
	}
	return nil
}

// VerifyConsistency is nil if the proof shows that the tree of size1 entries with
// root1 begins the one of size2 with root2 (RFC 6962, section 2.1.2).
func VerifyConsistency(size1, size2 uint64, path []Hash, root1, root2 Hash) error {
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, size1, size2, octets(path), root1[:], root2[:]); err != nil {
		return fmt.Errorf("check that a tree of %d begins one of %d: %w", size1, size2, inOneLine(err))
	}
	return nil
}

// inOneLine says what the library says of roots in several lines, of numbers.
func inOneLine(err error) error {
	var differ proof.RootMismatchError
	if !errors.As(err, &differ) {
		return err
	}
	return fmt.Errorf("the proof leads to root %x, not to %x", differ.CalculatedRoot, differ.ExpectedRoot)
}

func octets(path []Hash) [][]byte {
	out := make([][]byte, len(path))
	for i := range path {
		out[i] = path[i][:]
	}
	return out
}

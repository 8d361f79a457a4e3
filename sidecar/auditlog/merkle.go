package auditlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/linxGnu/grocksdb"

	"verbatim/sidecar/chain"
)

// StoredLevel is the lowest level of Merkle nodes that are stored for every
// complete subtree. A lower node is made from at most 2^StoredLevel entry hashes.
const StoredLevel = 8

func treeKey(id chain.NodeID) []byte {
	return append([]byte{byte(id.Level)}, offsetKey(id.Index)...)
}

// parseTreeKey is the reverse of treeKey.
func parseTreeKey(key []byte) (chain.NodeID, bool) {
	if len(key) != 9 || key[0] > 63 {
		return chain.NodeID{}, false
	}
	return chain.NodeID{Level: uint(key[0]), Index: binary.BigEndian.Uint64(key[1:])}, true
}

// putTree adds to a batch the nodes that a sealed and packed window completes.
func putTree(s *store, b *grocksdb.WriteBatch, w *window) error {
	tree, err := treeBefore(s, w)
	if err != nil {
		return err
	}
	hashes, err := s.prevHashes(s.read, w.first+1, w.last+1)
	if err != nil {
		return err
	}
	family := s.family(cfTree)
	tree.AddAll(hashes, func(id chain.NodeID, node chain.Hash) {
		if id.Level >= StoredLevel {
			b.PutCF(family, treeKey(id), node[:])
		}
	})
	return nil
}

// treeBefore is the tree of all entries before a window.
func treeBefore(s *store, w *window) (*chain.Tree, error) {
	if w.first == 0 {
		return chain.NewTree(), nil
	}
	record, err := s.get(s.read, cfCheckpoints, offsetKey(w.id-1))
	if err != nil {
		return nil, err
	}
	offset, nodes, err := parseCheckpointRecord(w.id-1, record)
	if err != nil {
		return nil, err
	}
	if offset != w.first {
		return nil, fmt.Errorf("%w: checkpoint %d is stored at %d, not %d", ErrDamaged, w.id-1, offset, w.first)
	}
	tree, err := chain.RestoreTree(offset, nodes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return tree, nil
}

// InclusionProof shows that an entry is in the tree of the first size entries, size
// being at most the tip's offset + 1 (RFC 6962, section 2.1.1). chain.VerifyInclusion
// checks it. Errors: ErrPruned where a node is gone.
func (v *View) InclusionProof(ctx context.Context, offset, size uint64) ([]chain.Hash, error) {
	if err := v.inTree(ctx, size); err != nil {
		return nil, err
	}
	return chain.InclusionProof(offset, size, v.Node)
}

// ConsistencyProof shows that the tree of size1 entries begins the one of size2
// (RFC 6962, section 2.1.2). chain.VerifyConsistency checks it.
func (v *View) ConsistencyProof(ctx context.Context, size1, size2 uint64) ([]chain.Hash, error) {
	if err := v.inTree(ctx, size2); err != nil {
		return nil, err
	}
	return chain.ConsistencyProof(size1, size2, v.Node)
}

// MerkleRoot is the root of the tree of the first size entries.
func (v *View) MerkleRoot(ctx context.Context, size uint64) (chain.Hash, error) {
	if err := v.inTree(ctx, size); err != nil {
		return chain.Hash{}, err
	}
	tree, err := chain.TreeAt(size, v.Node)
	if err != nil {
		return chain.Hash{}, err
	}
	return tree.Root(), nil
}

func (v *View) inTree(ctx context.Context, size uint64) error {
	if ctx.Err() != nil {
		return fmt.Errorf("read merkle tree: %w", context.Cause(ctx))
	}
	if size > v.tip.Offset+1 {
		return fmt.Errorf("read merkle tree of %d entries: %w: the log has %d", size, ErrNoEntry, v.tip.Offset+1)
	}
	return nil
}

// Node reads the root of a complete subtree, or makes it from what is below. One below
// StoredLevel is made of the entries, where they are there. Errors: ErrPruned.
func (v *View) Node(id chain.NodeID) (hash chain.Hash, err error) {
	err = v.access.with(v.s, func() error {
		hash, err = v.s.node(v.read, id, v.tip, v.First())
		return err
	})
	if err != nil {
		return hash, fmt.Errorf("read merkle node %d/%d: %w", id.Level, id.Index, err)
	}
	return hash, nil
}

func (s *store) node(ro *grocksdb.ReadOptions, id chain.NodeID, tip Tip, first uint64) (chain.Hash, error) {
	from := id.Index << id.Level
	if id.Level >= StoredLevel || from < first {
		switch value, err := s.get(ro, cfTree, treeKey(id)); {
		case err != nil:
			return chain.Hash{}, err
		case len(value) == chain.Size:
			return chain.Hash(value), nil
		case value != nil:
			return chain.Hash{}, fmt.Errorf("%w: %d bytes, want %d", ErrDamaged, len(value), chain.Size)
		}
	}
	to := from + 1<<id.Level - 1
	switch {
	case to < first:
		return chain.Hash{}, ErrPruned
	case id.Level < StoredLevel && from >= first:
		return s.smallNode(ro, from, to, tip)
	}
	left, err := s.node(ro, chain.NodeID{Level: id.Level - 1, Index: 2 * id.Index}, tip, first)
	if err != nil {
		return left, err
	}
	right, err := s.node(ro, chain.NodeID{Level: id.Level - 1, Index: 2*id.Index + 1}, tip, first)
	return chain.Join(left, right), err
}

// smallNode makes a node from the entry hashes below it.
func (s *store) smallNode(ro *grocksdb.ReadOptions, from, to uint64, tip Tip) (chain.Hash, error) {
	hashes, err := s.entryHashes(ro, from, to, tip)
	if err != nil {
		return chain.Hash{}, err
	}
	if uint64(len(hashes)) != to-from+1 {
		return chain.Hash{}, errors.Join(ErrDamaged, fmt.Errorf("entries %d to %d are not all there", from, to))
	}
	for i, h := range hashes {
		hashes[i] = chain.LeafHash(h)
	}
	for ; len(hashes) > 1; hashes = hashes[:len(hashes)/2] {
		for i := range len(hashes) / 2 {
			hashes[i] = chain.Join(hashes[2*i], hashes[2*i+1])
		}
	}
	return hashes[0], nil
}

package evidence

import (
	"testing"

	"verbatim/sidecar/chain"
)

// treeOf has a tree of n leaves, and all of its nodes.
func treeOf(n uint64) (leaves []chain.Hash, tree *chain.Tree, read chain.NodeReader) {
	nodes := map[chain.NodeID]chain.Hash{}
	tree = chain.NewTree()
	for i := range n {
		leaf := chain.EntryHash(chain.Hash{}, i, nil)
		leaves = append(leaves, leaf)
		tree.AddAll([]chain.Hash{leaf}, func(id chain.NodeID, h chain.Hash) { nodes[id] = h })
	}
	return leaves, tree, func(id chain.NodeID) (chain.Hash, error) { return nodes[id], nil }
}

// All leaves of all small trees, three at a time: what is packed is unpacked, and each
// proof leads to the root.
func TestProofsShareTheirNodes(t *testing.T) {
	const most = 18
	for size := uint64(1); size <= most; size++ {
		leaves, tree, read := treeOf(size)
		for a := range size {
			for b := a + 1; b < size; b++ {
				checkShared(t, []uint64{0, a, b}, size, leaves, tree.Root(), read)
				checkShared(t, []uint64{a, b}, size, leaves, tree.Root(), read)
			}
			checkShared(t, []uint64{a}, size, leaves, tree.Root(), read)
		}
	}
}

func checkShared(t *testing.T, offsets []uint64, size uint64, leaves []chain.Hash, root chain.Hash, read chain.NodeReader) {
	t.Helper()
	proofs, separate := make([][]chain.Hash, len(offsets)), 0
	for i, o := range offsets {
		proofs[i] = must(chain.InclusionProof(o, size, read))(t)
		separate += len(proofs[i]) * chain.Size
	}
	nodes := must(pack(offsets, size, proofs))(t)
	if len(nodes) > separate {
		t.Errorf("%v of %d: %d octets, separate ones have %d", offsets, size, len(nodes), separate)
	}
	for i, proof := range must(unpack(offsets, size, nodes))(t) {
		if err := chain.VerifyInclusion(offsets[i], size, leaves[offsets[i]], proof, root); err != nil {
			t.Errorf("%v of %d: %v", offsets, size, err)
		}
	}
	for _, wrong := range [][]byte{append(nodes[:len(nodes):len(nodes)], make([]byte, 32)...), append(nodes[:len(nodes):len(nodes)], 1)} {
		if _, err := unpack(offsets, size, wrong); err == nil {
			t.Errorf("%v of %d: nodes that nobody needs were taken", offsets, size)
		}
	}
}

package chain_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"verbatim/sidecar/chain"
)

// grown is a tree and every node of it that is complete.
func grown(t *testing.T, size uint64) (nodes map[chain.NodeID]chain.Hash, roots, entries []chain.Hash) {
	t.Helper()
	tree := chain.NewTree()
	nodes = map[chain.NodeID]chain.Hash{}
	for i := range size + 1 {
		roots = append(roots, tree.Root())
		entry := chain.EventHash(binary.BigEndian.AppendUint64(nil, i))
		entries = append(entries, entry)
		tree.AddAll([]chain.Hash{entry}, func(id chain.NodeID, h chain.Hash) { nodes[id] = h })
	}
	return nodes, roots, entries
}

func TestProofs(t *testing.T) {
	const size = 70
	nodes, roots, entries := grown(t, size)
	read := func(id chain.NodeID) (chain.Hash, error) {
		h, ok := nodes[id]
		if !ok {
			return h, fmt.Errorf("no node %v", id)
		}
		return h, nil
	}
	for n := uint64(1); n <= size; n++ {
		for i := range n {
			path, err := chain.InclusionProof(i, n, read)
			if err != nil {
				t.Fatal(err)
			}
			if err := chain.VerifyInclusion(i, n, entries[i], path, roots[n]); err != nil {
				t.Error(err)
			}
			if chain.VerifyInclusion(i, n, entries[i+1], path, roots[n]) == nil {
				t.Errorf("the proof of %d in %d holds for another entry", i, n)
			}
			consistent, err := chain.ConsistencyProof(i+1, n, read)
			if err != nil {
				t.Fatal(err)
			}
			if err := chain.VerifyConsistency(i+1, n, consistent, roots[i+1], roots[n]); err != nil {
				t.Error(err)
			}
			if i+1 < n && chain.VerifyConsistency(i+1, n, consistent, roots[i], roots[n]) == nil {
				t.Errorf("the proof that %d begins %d holds for another root", i+1, n)
			}
		}
		tree, err := chain.TreeAt(n, read)
		if err != nil {
			t.Fatal(err)
		}
		if root := tree.Root(); root != roots[n] {
			t.Errorf("the tree of %d made again has the root %s", n, root)
		}
	}
	if _, err := chain.InclusionProof(3, 3, read); err == nil {
		t.Error("an entry behind the tree has a proof")
	}
}

// TestTreesAreTheLibrarys compares with compact ranges at every size.
func TestTreesAreTheLibrarys(t *testing.T) {
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	theirs, ours := factory.NewEmptyRange(0), chain.NewTree()
	for i := range uint64(300) {
		entry := chain.EventHash(binary.BigEndian.AppendUint64(nil, i))
		var theirNodes, ourNodes []string
		err := theirs.Append(rfc6962.DefaultHasher.HashLeaf(entry[:]), func(id compact.NodeID, hash []byte) {
			theirNodes = append(theirNodes, fmt.Sprintf("%d/%d %x", id.Level, id.Index, hash))
		})
		if err != nil {
			t.Fatal(err)
		}
		ours.AddAll([]chain.Hash{entry}, func(id chain.NodeID, hash chain.Hash) {
			ourNodes = append(ourNodes, fmt.Sprintf("%d/%d %s", id.Level, id.Index, hash))
		})
		if !slices.Equal(ourNodes, theirNodes) || !slices.EqualFunc(ours.Nodes(), theirs.Hashes(), bytes.Equal) {
			t.Fatalf("leaf %d: %v, want %v", i, ourNodes, theirNodes)
		}
	}
	for _, nodes := range [][][]byte{nil, {make([]byte, chain.Size)}, {make([]byte, chain.Size), make([]byte, 5)}} {
		if _, err := chain.RestoreTree(3, nodes); err == nil {
			t.Errorf("a tree of 3 from %d nodes", len(nodes))
		}
	}
}

// TestHashesAreRFC6962s compares with the library's hasher.
func TestHashesAreRFC6962s(t *testing.T) {
	a, b := chain.EventHash([]byte("a")), chain.EventHash([]byte("b"))
	if got := chain.LeafHash(a); !bytes.Equal(got[:], rfc6962.DefaultHasher.HashLeaf(a[:])) {
		t.Errorf("leaf hash %s", got)
	}
	if got := chain.Join(a, b); !bytes.Equal(got[:], rfc6962.DefaultHasher.HashChildren(a[:], b[:])) {
		t.Errorf("node hash %s", got)
	}
}

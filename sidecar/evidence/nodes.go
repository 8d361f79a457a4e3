package evidence

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"verbatim/sidecar/chain"
)

// span names a node of the tree by the leaves below it, lo to hi-1.
type span struct{ lo, hi uint64 }

func (s span) compare(o span) int { return cmp.Or(cmp.Compare(s.lo, o.lo), cmp.Compare(s.hi, o.hi)) }

// siblings are the nodes of a leaf's inclusion proof in a tree of a size, lowest first
// (RFC 6962, section 2.1.1).
func siblings(offset, size uint64) []span {
	var path []span
	for s := (span{0, size}); s.hi-s.lo > 1; {
		half := s.lo + 1<<(bits.Len64(s.hi-s.lo-1)-1)
		if offset < half {
			path = append(path, span{half, s.hi})
			s.hi = half
		} else {
			path = append(path, span{s.lo, half})
			s.lo = half
		}
	}
	slices.Reverse(path)
	return path
}

// needed are the nodes of the proofs of all these leaves, each once, in order.
func needed(offsets []uint64, size uint64) []span {
	var all []span
	for _, o := range offsets {
		all = append(all, siblings(o, size)...)
	}
	slices.SortFunc(all, span.compare)
	return slices.Compact(all)
}

// pack stores the inclusion proofs of leaves, given in the order of offsets.
func pack(offsets []uint64, size uint64, proofs [][]chain.Hash) ([]byte, error) {
	hashes := map[span]chain.Hash{}
	for i, o := range offsets {
		path := siblings(o, size)
		if len(path) != len(proofs[i]) {
			return nil, fmt.Errorf("the proof of entry %d has %d nodes, want %d", o, len(proofs[i]), len(path))
		}
		for j, s := range path {
			hashes[s] = proofs[i][j]
		}
	}
	var nodes []byte
	for _, s := range needed(offsets, size) {
		h := hashes[s]
		nodes = append(nodes, h[:]...)
	}
	return nodes, nil
}

// unpack is the reverse of pack. It takes just the nodes that are needed, no more.
func unpack(offsets []uint64, size uint64, nodes []byte) ([][]chain.Hash, error) {
	order := needed(offsets, size)
	if len(nodes) != len(order)*chain.Size {
		return nil, fmt.Errorf("it has %d octets of Merkle nodes, the proofs of %d entries in a tree of %d take %d",
			len(nodes), len(offsets), size, len(order)*chain.Size)
	}
	hashes := make(map[span]chain.Hash, len(order))
	for i, s := range order {
		hashes[s] = chain.Hash(nodes[i*chain.Size : (i+1)*chain.Size])
	}
	proofs := make([][]chain.Hash, len(offsets))
	for i, o := range offsets {
		for _, s := range siblings(o, size) {
			proofs[i] = append(proofs[i], hashes[s])
		}
	}
	return proofs, nil
}

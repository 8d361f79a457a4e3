package chain

import (
	"crypto/sha256"
	"sort"
)

// Prefixes are the prefix digests of a list of output hashes: P(0) is 32 zero
// bytes, P(i) = SHA-256(P(i-1) || hash(i)). Two lists agree up to i if and only
// if their P(i) are equal (docs/LOG-FORMAT.md, "Roots of a replay"). The zero
// value is the empty list.
type Prefixes struct {
	digests []Hash
}

// Add appends one output hash.
func (p *Prefixes) Add(h Hash) {
	last := p.At(len(p.digests))
	p.digests = append(p.digests, sha256.Sum256(append(last[:], h[:]...)))
}

// Len is how many hashes were added.
func (p *Prefixes) Len() int { return len(p.digests) }

// At is P(i), 0 <= i <= Len.
func (p *Prefixes) At(i int) Hash {
	if i == 0 {
		return Hash{}
	}
	return p.digests[i-1]
}

// FirstDifference is the index of the first hash in which the lists differ,
// counted from 0, and whether there is one. A list that ends early differs from
// the longer one where it ends.
func FirstDifference(a, b *Prefixes) (int, bool) {
	n := min(a.Len(), b.Len())
	i := sort.Search(n, func(i int) bool { return a.At(i+1) != b.At(i+1) })
	return i, i < max(a.Len(), b.Len())
}

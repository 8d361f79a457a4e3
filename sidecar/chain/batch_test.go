package chain

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// batches are those of either way to hash.
func batches() map[string]*Batch {
	return map[string]*Batch{"as here": NewBatch(), "one by one": {single: true}}
}

// Messages of every length around the ends of blocks, in batches of every small size,
// so that each ends beside others of every length.
func TestBatchesHashAsCryptoSHA256(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, b := range batches() {
		for _, headSize := range []int{0, 1, 40, 63} {
			var m messages
			var want []Hash
			for size := range 300 {
				head, body := randomBytes(random, headSize), randomBytes(random, size)
				m = messages{append(m.heads, head...), headSize, append(m.bodies, body...), append(m.sizes, uint32(size))}
				want = append(want, sha256.Sum256(append(head, body...)))
				if size == 299 || random.IntN(5) == 0 {
					if got := b.sum(nil, len(m.sizes), &m); !slices.Equal(got, want) {
						t.Errorf("%s: heads of %d, bodies of %d: the hashes are not those of crypto/sha256", name, headSize, m.sizes)
					}
					m, want = messages{}, nil
				}
			}
		}
	}
}

func TestBatchesHashEntriesEventsLeavesAndNodes(t *testing.T) {
	const first = 1<<40 + 2
	raws := [][]byte{[]byte("raw"), nil, make([]byte, 500)}
	hashes := []Hash{{1}, {2}, {3}, {4}, {5}}
	for name, b := range batches() {
		var sizes []uint32
		var entries, events, leaves []Hash
		for i, raw := range raws {
			b.Event(raw)
			sizes = append(sizes, uint32(len(raw)))
			events = append(events, EventHash(raw))
			entries = append(entries, EntryHash(hashes[i], first+uint64(i), raw))
		}
		for _, h := range hashes {
			leaves = append(leaves, LeafHash(h))
		}
		for what, both := range map[string][2][]Hash{
			"entries": {b.Entries(hashes[:1:1], first, flat(hashes[:3]), slices.Concat(raws...), sizes), append(hashes[:1:1], entries...)},
			"events":  {b.Sum(hashes[:2:2]), append(hashes[:2:2], events...)},
			"leaves":  {b.leaves(nil, hashes), leaves},
			"nodes":   {b.joins(nil, hashes), []Hash{Join(hashes[0], hashes[1]), Join(hashes[2], hashes[3])}},
			"nothing": {b.Sum(nil), nil},
		} {
			if !slices.Equal(both[0], both[1]) {
				t.Errorf("%s, %s: %v, want %v", name, what, both[0], both[1])
			}
		}
	}
}

// What is not there is not read.
func TestBatchesNeedAllMessages(t *testing.T) {
	for what, m := range map[string]messages{
		"heads": {make([]byte, 79), 40, make([]byte, 10), []uint32{5, 5}}, "bodies": {nil, 0, make([]byte, 9), []uint32{5, 5}},
		"bodies of one size": {nil, 0, make([]byte, 9), []uint32{5}}, "sizes": {nil, 0, make([]byte, 10), []uint32{1, 2, 3}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s are missing, and the messages are hashed", what)
				}
			}()
			NewBatch().sum(nil, 2, &m)
		}()
	}
}

// A batch's messages are cut out of the input.
func FuzzBatch(f *testing.F) {
	f.Add([]byte("some"), []byte("thing"), byte(3))
	f.Add(make([]byte, 55), make([]byte, 64), byte(0))
	f.Fuzz(func(t *testing.T, one, other []byte, times byte) {
		for name, b := range batches() {
			var want []Hash
			for i := range int(times) {
				message := slices.Concat([][]byte{one, other, nil}[i%3], other)
				b.Event(message)
				want = append(want, sha256.Sum256(message))
			}
			if got := b.Sum(nil); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
			head := one[:min(len(one), 63)]
			m := messages{head, len(head), other, []uint32{uint32(len(other))}}
			if got := b.sum(nil, 1, &m); got[0] != sha256.Sum256(slices.Concat(head, other)) {
				t.Errorf("%s: %v of a head and a body", name, got)
			}
		}
	})
}

// Trees that grow by any steps are those that grow by one, node by node.
func TestTreesGrowByAnySteps(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		one, many := NewTree(), NewTree()
		nodes, want := map[NodeID]Hash{}, map[NodeID]Hash{}
		for range 20 {
			step := make([]Hash, random.IntN(70))
			for i := range step {
				step[i] = EventHash(binary.BigEndian.AppendUint64(nil, random.Uint64()))
				one.Add(step[i])
				want[NodeID{0, one.Size() - 1}] = LeafHash(step[i])
				for level, index := uint(1), one.Size(); index&1 == 0; level, index = level+1, index>>1 {
					id := NodeID{level, index>>1 - 1}
					want[id] = Join(want[NodeID{level - 1, 2 * id.Index}], want[NodeID{level - 1, 2*id.Index + 1}])
				}
			}
			many.AddAll(step, func(id NodeID, node Hash) {
				if _, seen := nodes[id]; seen {
					t.Errorf("%v is complete again", id)
				}
				nodes[id] = node
			})
			if many.Root() != one.Root() || many.Size() != one.Size() {
				t.Fatalf("at %d: %s, want %s at %d", many.Size(), many.Root(), one.Root(), one.Size())
			}
		}
		for id, node := range want {
			if nodes[id] != node {
				t.Errorf("%v is %s, want %s", id, nodes[id], node)
			}
		}
		if len(nodes) != len(want) {
			t.Errorf("%d nodes, want %d", len(nodes), len(want))
		}
	}
}

func randomBytes(random *rand.Rand, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// BenchmarkBatch hashes messages of the lengths that a verification hashes most: a
// Merkle leaf, a node, an output, an entry.
func BenchmarkBatch(b *testing.B) {
	for _, size := range []int{33, 65, 206, 315} {
		for name, batch := range batches() {
			b.Run(fmt.Sprintf("%d octets %s", size, name), func(b *testing.B) {
				const count = 1000
				m := messages{make([]byte, 1), 1, make([]byte, count*(size-1)), []uint32{uint32(size - 1)}}
				var hashes []Hash
				for b.Loop() {
					hashes = batch.sum(hashes[:0], count, &m)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/count, "ns/message")
			})
		}
	}
}

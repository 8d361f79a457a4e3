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
		var hashes, want []Hash
		for size := range 300 {
			message := randomBytes(random, size)
			at := random.IntN(size + 1)
			b.add(message[:at], message[at:])
			want = append(want, sha256.Sum256(message))
			if random.IntN(5) == 0 {
				hashes = b.Sum(hashes)
			}
		}
		if hashes = b.Sum(hashes); !slices.Equal(hashes, want) {
			t.Errorf("%s: the hashes are not those of crypto/sha256", name)
		}
	}
}

func TestBatchesHashEntriesAndEvents(t *testing.T) {
	raw := []byte("raw")
	for name, b := range batches() {
		b.Entry(Hash{1}, 1<<40+2, raw)
		b.Event(raw)
		b.leaf(Hash{3})
		b.join(Hash{4}, Hash{5})
		want := []Hash{EntryHash(Hash{1}, 1<<40+2, raw), EventHash(raw), LeafHash(Hash{3}), Join(Hash{4}, Hash{5})}
		if got := b.Sum(nil); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if got := b.Sum(nil); got != nil {
			t.Errorf("%s: %v of an empty batch", name, got)
		}
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
				message := one
				if i%3 == 1 {
					message = other
				}
				b.add(message, other)
				want = append(want, sha256.Sum256(slices.Concat(message, other)))
			}
			if got := b.Sum(nil); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
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
				const messages = 1000
				message := make([]byte, size)
				var hashes []Hash
				for b.Loop() {
					for range messages {
						batch.add(message, nil)
					}
					hashes = batch.Sum(hashes[:0])
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/messages, "ns/message")
			})
		}
	}
}

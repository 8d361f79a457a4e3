package bench

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

// BenchmarkVerify checks every link, footer and index of the loaded log on one core,
// and measures beside it what it rests on here: the chained SHA-256 alone, reading the
// entries and hashing each once, and all hashes that are needed, one by one as
// crypto/sha256 computes them and together as a verification does. Rates are by the
// process's own processor time, so that what else runs on the machine counts less.
func BenchmarkVerify(b *testing.B) {
	l := loaded(b)
	onOneCore(b)
	v, err := auditlog.OpenReadOnly(l.dir)
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	for b.Loop() {
		all := rate(b, l.entries, func() {
			r, err := verify.Verify(b.Context(), v, verify.Options{})
			if err != nil || !r.OK() || r.Entries != l.entries {
				b.Fatalf("%v: %+v", err, r)
			}
		})
		read := rate(b, l.entries, func() { hashAll(b, v) })
		floor := rate(b, l.entries, func() { chainOnly(l.entries, int(l.raw/l.entries)) })
		needed := rate(b, l.entries, func() { everyHash(l.entries, int(l.raw/l.entries)) })
		together := rate(b, l.entries, func() { everyHashTogether(l.entries, int(l.raw/l.entries)) })
		b.ReportMetric(all, "entries/s")
		b.ReportMetric(read, "read+hash/s")
		b.ReportMetric(floor, "sha256-floor/s")
		b.ReportMetric(needed, "hashes-floor/s")
		b.ReportMetric(together, "hashes-together/s")
		b.Logf("verified %.2f million entries a second; reading with one hash each: %.2f; chained SHA-256 alone: %.2f; "+
			"every hash that footers need, reading nothing: %.2f one by one (%.0f %% of that), %.2f together (%.0f %%)",
			all/1e6, read/1e6, floor/1e6, needed/1e6, 100*all/needed, together/1e6, 100*all/together)
	}
}

// BenchmarkDisk measures the loaded log's directory against its raw events.
func BenchmarkDisk(b *testing.B) {
	l := loaded(b)
	var size int64
	for b.Loop() {
		size = sizeOf(b, l.dir)
	}
	b.ReportMetric(float64(size)/float64(l.raw), "of_raw")
	b.Logf("%d octets on disk, indexes and Merkle nodes included, for %d octets of raw events", size, l.raw)
}

func sizeOf(b *testing.B, dir string) (size int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return size
}

// rate is how many of n things are done in a second of processor time.
func rate(b *testing.B, n uint64, f func()) float64 {
	b.Helper()
	before := processorTime(b)
	f()
	return float64(n) / (processorTime(b) - before).Seconds()
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// hashAll reads every entry and computes its hash, and nothing else.
func hashAll(b *testing.B, v *auditlog.View) {
	b.Helper()
	hasher, prev := chain.NewHasher(), chain.Hash{}
	for c, err := range v.Chunks(b.Context(), 0, v.Tip().Offset) {
		if err != nil {
			b.Fatal(err)
		}
		for i := range c.Entries {
			e := &c.Entries[i]
			prev = hasher.Entry(e.PrevEntryHash, e.Offset, e.Raw)
		}
		c.Release()
	}
	if prev != v.Tip().Hash {
		b.Fatal(fmt.Errorf("chain root %s, want %s", prev, v.Tip().Hash))
	}
}

// everyHash computes the hashes that the links and footers of a log of requests and
// answers rest on: of each entry, its Merkle leaf and node, and of every second one an
// output.
func everyHash(entries uint64, size int) {
	hasher, prev, raw := chain.NewHasher(), chain.Hash{}, make([]byte, size)
	node := prev
	for offset := range entries {
		prev = hasher.Entry(prev, offset, raw)
		node = chain.Join(node, chain.LeafHash(prev))
		if offset%2 == 1 {
			raw[0] = chain.EventHash(raw[:size*3/4])[0]
		}
	}
}

// everyHashTogether is everyHash in batches.
func everyHashTogether(entries uint64, size int) {
	const atOnce = 1024
	batch, tree, hashes, raw := chain.NewBatch(), chain.NewTree(), []chain.Hash{}, make([]byte, size)
	prevs, raws, sizes := make([]byte, atOnce*chain.Size), make([]byte, atOnce*size), slices.Repeat([]uint32{uint32(size)}, atOnce)
	for offset := uint64(0); offset < entries; {
		hashes = batch.Entries(hashes[:0], offset, prevs, raws, sizes)
		offset += atOnce
		copy(prevs, hashes[0][:])
		tree.AddAll(hashes, nil)
		for range atOnce / 2 {
			batch.Event(raw[:size*3/4])
		}
		raw[0] = batch.Sum(nil)[0][0]
	}
}

// chainOnly computes a chain over events of one size.
func chainOnly(entries uint64, size int) {
	hasher, prev, raw := chain.NewHasher(), chain.Hash{}, make([]byte, size)
	for offset := range entries {
		prev = hasher.Entry(prev, offset, raw)
	}
}

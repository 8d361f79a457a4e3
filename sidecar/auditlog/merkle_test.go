package auditlog_test

import (
	"errors"
	"fmt"
	"testing"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// grow adds answered requests of a few meters.
func grow(t *testing.T, l *auditlog.Log, requests int) {
	t.Helper()
	var last *auditlog.Pending
	for i := range requests {
		p := put(t, l, request(fmt.Sprint("m", i%7)))
		last = l.Append(draft(t, response(p.Offset, fmt.Sprint(i))))
	}
	if _, err := last.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// stored waits until sealed windows are in blocks, by closing the log.
func stored(t *testing.T, dir string, l *auditlog.Log) *auditlog.Log {
	t.Helper()
	closeLog(t, l)
	return open(t, dir, auditlog.Options{})
}

func TestEveryEntryAndCheckpointHasItsProof(t *testing.T) {
	dir := newLog(t, 300)
	l := open(t, dir, auditlog.Options{})
	grow(t, l, 900)
	l = stored(t, dir, l)
	defer closeLog(t, l)
	grow(t, l, 50) // in the open window
	v := view(t, l)
	defer v.Close()
	checkProofs(t, v)
	size := v.Tip().Offset + 1
	if _, err := v.InclusionProof(t.Context(), 0, size+1); !errors.Is(err, auditlog.ErrNoEntry) {
		t.Errorf("a tree larger than the log: %v", err)
	}
}

// checkProofs proves entries in the trees of all checkpoints and of the whole log,
// and every checkpoint's tree in the next one's.
func checkProofs(t *testing.T, v *auditlog.View) {
	t.Helper()
	sizes, roots := []uint64{}, []chain.Hash{}
	checkpoints, err := v.Checkpoints(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checkpoints {
		sizes, roots = append(sizes, c.Offset), append(roots, chain.Hash(c.Checkpoint.GetMerkleRoot()))
	}
	size := v.Tip().Offset + 1
	whole, err := v.MerkleRoot(t.Context(), size)
	if err != nil {
		t.Fatal(err)
	}
	sizes, roots = append(sizes, size), append(roots, whole)
	for i, size := range sizes {
		for offset := v.First(); offset < size; offset += 37 {
			checkInclusion(t, v, offset, size, roots[i])
		}
		for e, err := range v.Kept(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Offset < size {
				checkInclusion(t, v, e.Offset, size, roots[i])
			}
		}
		for j := range i {
			path, err := v.ConsistencyProof(t.Context(), sizes[j], size)
			if err == nil {
				err = chain.VerifyConsistency(sizes[j], size, path, roots[j], roots[i])
			}
			if err != nil {
				t.Errorf("%d begins %d: %v", sizes[j], size, err)
			}
		}
		if root, err := v.MerkleRoot(t.Context(), size); err != nil || root != roots[i] {
			t.Errorf("tree of %d: %s, %v", size, root, err)
		}
	}
}

func checkInclusion(t *testing.T, v *auditlog.View, offset, size uint64, root chain.Hash) {
	t.Helper()
	e, err := v.Entry(offset)
	if err != nil {
		t.Fatal(err)
	}
	path, err := v.InclusionProof(t.Context(), offset, size)
	if err == nil {
		err = chain.VerifyInclusion(offset, size, e.Hash(), path, root)
	}
	if err != nil {
		t.Errorf("%d in %d: %v", offset, size, err)
	}
}

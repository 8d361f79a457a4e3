package fsck_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"verbatim/sidecar/fsck"
	"verbatim/tests/forge"
)

// stopping is a context that ends when it was asked some times.
type stopping struct {
	context.Context
	left atomic.Int64
}

func (s *stopping) Err() error {
	if s.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// A repair that is stopped anywhere leaves no log, or the whole of it, and the damaged
// one as it was.
func TestARepairThatIsStoppedLeavesNoHalfLog(t *testing.T) {
	const enough = 1 << 40
	dir := newLog(t, 60, 0)
	want := answers(t, dir)
	must(t, forge.Delete(dir, "state", []byte("tip")))
	must(t, os.Remove(filepath.Join(dir, "db", "CURRENT"))) // the copy is stopped, too
	all := &stopping{Context: t.Context()}
	all.left.Store(enough)
	if _, err := fsck.RepairSynced(all, dir, filepath.Join(t.TempDir(), "repaired"), nil); err != nil {
		t.Fatal(err)
	}
	asked := enough - all.left.Load()
	if asked < 100 {
		t.Fatalf("asked %d times", asked)
	}
	before := content(t, dir)
	moments := []int64{asked - 1} // when what was saved is checked
	for n := int64(0); n < asked; n += asked/12 + 1 {
		moments = append(moments, n)
	}
	whole := 0
	for _, n := range moments {
		to := filepath.Join(t.TempDir(), "repaired")
		ctx := &stopping{Context: t.Context()}
		ctx.left.Store(n)
		if _, err := fsck.RepairSynced(ctx, dir, to, nil); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after %d of %d: %v", n, asked, err)
		}
		if left, err := filepath.Glob(to + ".*"); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		if names, err := filepath.Glob(filepath.Join(to, "*")); err != nil || len(names) > 0 {
			whole++
			same(t, answers(t, to), want)
		}
	}
	if len(before) != len(content(t, dir)) {
		t.Error("the damaged log was written to")
	}
	if whole != 1 {
		t.Errorf("%d left a log", whole)
	}
}

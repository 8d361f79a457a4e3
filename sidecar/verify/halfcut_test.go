package verify_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

// endsAfter is a context that has ended once it was asked often enough.
type endsAfter struct {
	context.Context
	left *atomic.Int64
}

func (c endsAfter) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestACutThatWasInterruptedHasNoFindings: what is to be kept is stored in several
// writes before the cut is made, and it may never be.
func TestACutThatWasInterruptedHasNoFindings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 1000}); err != nil {
		t.Fatal(err)
	}
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	start, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{BootId: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	for range 6000 { // each of which stays
		l.Append(start)
	}
	c := checkpointOf(t, l, start)
	at := record(t, l, &logv1.Event{Kind: &logv1.Event_Prune{Prune: &logv1.Prune{LastOffset: c.Offset, Root: c.Root[:], Policy: "a test"}}})
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if l, err = auditlog.Open(dir, auditlog.Options{}); err != nil { // every window is stored
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	half := 0
	for asked := int64(0); ; asked++ {
		ctx := endsAfter{t.Context(), &atomic.Int64{}}
		ctx.left.Store(asked)
		if err := l.CutSynced(ctx, at); err == nil {
			break
		}
		half += smallNodes(t, l)
	}
	if half == 0 {
		t.Error("no cut was interrupted half way")
	}
}

// checkpointOf waits until all is recorded, and returns a checkpoint near the end.
func checkpointOf(t *testing.T, l *auditlog.Log, last auditlog.Draft) auditlog.CheckpointAt {
	t.Helper()
	if _, err := l.Append(last).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	c, err := v.Checkpoint(5)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// smallNodes verifies a log, and counts what is stored for a cut.
func smallNodes(t *testing.T, l *auditlog.Log) (n int) {
	t.Helper()
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	r, err := verify.Verify(t.Context(), v, verify.Options{})
	if err != nil || !r.OK() {
		t.Fatalf("findings %v, %v", r.Findings, err)
	}
	err = v.EachNode(t.Context(), func(id chain.NodeID, _ chain.Hash, _ bool) {
		if id.Level < auditlog.StoredLevel {
			n++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

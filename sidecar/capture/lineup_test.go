package capture

import (
	"container/heap"
	"path/filepath"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// TestAttemptsStandByTheirNumber: behind the router all attempts of a request have its
// time.
func TestAttemptsStandByTheirNumber(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		t.Fatal(err)
	}
	log, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	moments := []moment{{1, 3}, {3, 1}, {1, 2}, {2, 1}, {1, 1}, {1, 4}} // as they come
	want := []uint64{3, 6, 2, 5, 1, 4}                                  // their offsets
	var l lineup
	list := make([]*place, len(moments))
	for i, m := range moments {
		draft, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{}}})
		if err != nil {
			t.Fatal(err)
		}
		list[i] = &place{moment: m, draft: draft, ready: make(chan struct{})}
		heap.Push(&l.waiting, list[i])
	}
	l.through(log, moment{3, 1})
	for i, p := range list {
		placed, err := p.pending.Wait(t.Context())
		if err != nil || placed.Offset != want[i] {
			t.Errorf("%v is at %d, %v, want %d", moments[i], placed.Offset, err, want[i])
		}
	}
	if err := log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

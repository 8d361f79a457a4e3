package auditlog

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/linxGnu/grocksdb"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// faultyWriter fails the next writes: before they reach RocksDB, or after they
// are durable there.
type faultyWriter struct {
	s       *store
	fault   *atomic.Int32
	persist bool
}

var errInjected = errors.New("injected: no space left on device")

func (f faultyWriter) writeSynced(b *grocksdb.WriteBatch) error {
	if f.fault.Add(-1) < 0 {
		return f.s.writeSynced(b)
	}
	if f.persist {
		if err := f.s.writeSynced(b); err != nil {
			return err
		}
	}
	return errInjected
}

func openFaulty(t *testing.T, persist bool, o Options) (*Log, *atomic.Int32) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := Create(dir, Origin{Interval: 10}); err != nil {
		t.Fatal(err)
	}
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	fault := &atomic.Int32{}
	l.writer = func(s *store) syncedWriter { return faultyWriter{s: s, fault: fault, persist: persist} }
	return l, fault
}

func appendEvent(t *testing.T, l *Log, ev *logv1.Event) (Placed, error) {
	t.Helper()
	d, err := NewDraft(ev)
	if err != nil {
		t.Fatal(err)
	}
	return l.Append(d).Wait(t.Context())
}

func requestEvent() *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: []string{"m"}}}}
}

func responseEvent(to uint64) *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: to, Output: []byte("x")}}}
}

// untilWritable appends requests until one is durable again.
func untilWritable(t *testing.T, l *Log) uint64 {
	t.Helper()
	for {
		p, err := appendEvent(t, l, requestEvent())
		if err == nil {
			return p.Offset
		}
		if !errors.Is(err, ErrNotWritable) {
			t.Fatal(err)
		}
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// outcomes reads the whole chain, checks it, and describes each request's end.
func outcomes(t *testing.T, l *Log) map[uint64]string {
	t.Helper()
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	ends, prev := map[uint64]string{}, chain.Hash{}
	for e, err := range v.Entries(t.Context(), 0, v.Tip().Offset) {
		if err != nil {
			t.Fatal(err)
		}
		if e.PrevEntryHash != prev {
			t.Fatalf("entry %d does not fit the chain", e.Offset)
		}
		prev = e.Hash()
		ev, err := e.Event()
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case ev.GetRequest() != nil:
			ends[e.Offset] = "open"
		case ev.GetResponse() != nil:
			ends[ev.GetResponse().GetRequestOffset()] = "response"
		case ev.GetAbort() != nil:
			ends[ev.GetAbort().GetRequestOffset()] = ev.GetAbort().GetDelivered().String()
		}
	}
	return ends
}

func TestAFailedWriteRefusesAndHeals(t *testing.T) {
	for _, persist := range []bool{false, true} {
		t.Run(fmt.Sprintf("persist=%v", persist), func(t *testing.T) {
			l, fault := openFaulty(t, persist, Options{})
			inFlight, err := appendEvent(t, l, requestEvent())
			if err != nil {
				t.Fatal(err)
			}
			answered, err := appendEvent(t, l, requestEvent())
			if err != nil {
				t.Fatal(err)
			}
			fault.Store(1)
			if _, err := appendEvent(t, l, requestEvent()); !errors.Is(err, ErrNotWritable) {
				t.Fatalf("append on a failing disk: %v", err)
			}
			untilWritable(t, l)
			fault.Store(2) // the write, and the first attempt to close what it left
			if _, err := appendEvent(t, l, responseEvent(answered.Offset)); !errors.Is(err, ErrNotWritable) {
				t.Fatalf("append on a failing disk: %v", err)
			}
			untilWritable(t, l)
			if _, err := appendEvent(t, l, responseEvent(inFlight.Offset)); err != nil {
				t.Fatalf("the request in flight lost its outcome: %v", err)
			}
			checkEnds(t, l, persist, inFlight.Offset, answered.Offset)
			if err := l.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func checkEnds(t *testing.T, l *Log, persist bool, inFlight, answered uint64) {
	t.Helper()
	ends := outcomes(t, l)
	if ends[inFlight] != "response" {
		t.Errorf("the request in flight ended as %s", ends[inFlight])
	}
	want := "DELIVERED_MAYBE"
	if persist {
		want = "response"
	}
	if ends[answered] != want {
		t.Errorf("the request whose answer was refused ended as %s, want %s", ends[answered], want)
	}
	refused := 0
	for _, end := range ends {
		if end == "DELIVERED_NO" {
			refused++
		}
	}
	if persist != (refused > 0) {
		t.Errorf("%d requests closed as never delivered, persisted %v", refused, persist)
	}
}

func TestALogThatStaysDownRefusesAndStops(t *testing.T) {
	l, fault := openFaulty(t, false, Options{})
	fault.Store(1 << 30)
	if _, err := appendEvent(t, l, requestEvent()); !errors.Is(err, ErrNotWritable) {
		t.Fatalf("append on a failing disk: %v", err)
	}
	if err := l.Close(context.Background()); err == nil {
		t.Error("a log that could not be sealed closed without a word")
	}
	fault.Store(0)
	l, err := Open(l.Dir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	outcomes(t, l)
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestWhatPassedAllTheSameIsMaybeDelivered: failing open, a refused request goes
// on to the pipeline.
func TestWhatPassedAllTheSameIsMaybeDelivered(t *testing.T) {
	l, fault := openFaulty(t, true, Options{FailOpen: true})
	fault.Store(1)
	if _, err := appendEvent(t, l, requestEvent()); !errors.Is(err, ErrNotWritable) {
		t.Fatalf("append on a failing disk: %v", err)
	}
	untilWritable(t, l)
	if end := outcomes(t, l)[1]; end != "DELIVERED_MAYBE" {
		t.Errorf("the request that passed ended as %s", end)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestSkippedIsToldOnce: also by a checkpoint that was refused and is there.
func TestSkippedIsToldOnce(t *testing.T) {
	for _, persist := range []bool{false, true} {
		l, fault := openFaulty(t, persist, Options{})
		for range 8 { // offsets 1 to 8: the next but one seals the window
			if _, err := appendEvent(t, l, requestEvent()); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			l.Skip("health")
		}
		fault.Store(1)
		if _, err := appendEvent(t, l, requestEvent()); !errors.Is(err, ErrNotWritable) {
			t.Fatalf("append on a failing disk: %v", err)
		}
		untilWritable(t, l)
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := skippedIn(t, l.Dir()); n != 5 {
			t.Errorf("persisted %v: the checkpoints tell of %d skipped exchanges, there were 5", persist, n)
		}
	}
}

func skippedIn(t *testing.T, dir string) (n uint64) {
	t.Helper()
	v, err := OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	list, err := v.Checkpoints(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		for _, s := range c.Checkpoint.GetSkipped() {
			n += s.GetExchanges()
		}
	}
	return n
}

// TestTheStoredIndexNeverGoesBack: at a stop each window is stored once.
func TestTheStoredIndexNeverGoesBack(t *testing.T) {
	for range 20 {
		dir := filepath.Join(t.TempDir(), "log")
		if _, err := Create(dir, Origin{Interval: 3}); err != nil {
			t.Fatal(err)
		}
		l, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		const appends = 100
		for range appends {
			d, err := NewDraft(requestEvent())
			if err != nil {
				t.Fatal(err)
			}
			l.Append(d)
		}
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		v, err := OpenReadOnly(dir)
		if err != nil {
			t.Fatal(err)
		}
		offsets, err := foundBy(t, v, MeterTerm("m"))
		if err != nil || len(offsets) != appends || v.indexed != uint64(len(mustCheckpoints(t, v))) {
			t.Errorf("%d offsets of %d, indexed below window %d, %v", len(offsets), appends, v.indexed, err)
		}
		v.Close()
	}
}

func foundBy(t *testing.T, v *View, term Term) (found []uint64, err error) {
	t.Helper()
	for o, err := range v.Find(t.Context(), Lookup{AllOf: [][]Term{{term}}, To: v.Tip().Offset}) {
		if err != nil {
			return found, err
		}
		found = append(found, o)
	}
	return found, nil
}

func mustCheckpoints(t *testing.T, v *View) []CheckpointAt {
	t.Helper()
	list, err := v.Checkpoints(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

package anchor

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// hands are a wall clock that a test sets.
type hands struct{ now time.Time }

func (h *hands) pass(d time.Duration) { h.now = h.now.Add(d) }

// sealedAhead is a log with one checkpoint, sealed while the wall clock was ahead.
func sealedAhead(t *testing.T, now time.Time) *auditlog.Log {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		t.Fatal(err)
	}
	l, err := auditlog.Open(dir, auditlog.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	d, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(d).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.SealSynced(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// A checkpoint of a clock that was ahead by a year is due, and late, as any other.
func TestACheckpointOfAClockThatWasAhead(t *testing.T) {
	h := &hands{time.Now()}
	w := New(Options{
		Log: sealedAhead(t, h.now.AddDate(1, 0, 0)), Schedule: Schedule{Every: 10, AlarmAfter: time.Hour},
		Now: func() time.Time { return h.now },
	})
	for _, want := range []time.Duration{30 * time.Minute, 10 * time.Minute} {
		if wait, again, err := w.step(t.Context(), false); wait != want || !again || err != nil {
			t.Errorf("due in %v, %t, %v; want %v", wait, again, err, want)
		}
		h.pass(20 * time.Minute)
	}
	if s := w.Status(); s.Alarm != "" {
		t.Errorf("alarm: %s", s.Alarm)
	}
	h.pass(time.Hour)
	if s := w.Status(); s.Alarm == "" {
		t.Error("no alarm")
	}
}

// A local clock that jumps neither puts off the next anchor for ever nor makes each
// root due at once.
func TestALocalClockThatJumps(t *testing.T) {
	ledger := time.Unix(1_800_000_000, 0)
	receipt := func(id uint64, after time.Duration) *Progress {
		return &Progress{Newest: &anchorv1.Receipt{CheckpointId: id, ClosedAt: ledger.Add(after).Unix()}}
	}
	h := &hands{ledger.Add(time.Minute)}
	w := New(Options{Now: func() time.Time { return h.now }})
	if got := w.lastAnchored(receipt(1, 0)); !got.Equal(ledger) {
		t.Errorf("one of before: %v", got)
	}
	h.now = ledger.AddDate(-1, 0, 0)
	if got := w.lastAnchored(receipt(1, 0)); !got.Equal(h.now) {
		t.Errorf("put back by a year: %v, and now is %v", got, h.now)
	}
	h.now = ledger.AddDate(1, 0, 0)
	if got := w.lastAnchored(receipt(2, time.Hour)); !got.Equal(h.now) {
		t.Errorf("ahead by a year: %v, and now is %v", got, h.now)
	}
}

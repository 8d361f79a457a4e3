package auditlog

import (
	"context"
	"errors"
	"fmt"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// newest reads a log's checkpoints, and whether one is its newest entry.
func newest(t *testing.T, v *View) (list []CheckpointAt, last bool) {
	t.Helper()
	list, err := v.Checkpoints(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return list, len(list) > 0 && list[len(list)-1].Offset == v.Tip().Offset
}

func appendGap(t *testing.T, l *Log) error {
	t.Helper()
	d, err := NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Append(d).Wait(t.Context())
	return err
}

// A log that was sealed takes no entries any more, but can be read, and what
// proves its last checkpoint is kept.
func TestASealedLogKeepsRecordsUntilItIsClosed(t *testing.T) {
	l, _ := openFaulty(t, false, Options{})
	if err := appendGap(t, l); err != nil {
		t.Fatal(err)
	}
	l.Skip("health")
	for range 2 { // once more changes nothing
		if err := l.SealSynced(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	list, last := newest(t, v)
	v.Close()
	if c := list[len(list)-1].Checkpoint; !last || c.GetReason() != logv1.SealReason_SEAL_REASON_STOP || len(c.GetSkipped()) != 1 {
		t.Errorf("the newest checkpoint is %v, at the end: %t", c, last)
	}
	if err := appendGap(t, l); !errors.Is(err, ErrClosed) {
		t.Errorf("an entry behind the seal: %v", err)
	}
	if err := l.KeepSynced(t.Context(), record("k", "proof")); err != nil {
		t.Errorf("a record behind the seal: %v", err)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.SealSynced(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("sealing a closed log: %v", err)
	}
	v, err = OpenReadOnly(l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if again, last := newest(t, v); len(again) != len(list) || !last {
		t.Errorf("closed with %d checkpoints, sealed with %d", len(again), len(list))
	}
	if got, err := v.Record([]byte("k")); err != nil || string(got) != "proof" {
		t.Errorf("the record is %q, %v", got, err)
	}
}

// Whether a seal that failed persisted or not: closing the log seals it once.
func TestASealThatFails(t *testing.T) {
	for _, persist := range []bool{false, true} {
		t.Run(fmt.Sprintf("persist=%t", persist), func(t *testing.T) {
			l, fault := openFaulty(t, persist, Options{})
			if err := appendGap(t, l); err != nil {
				t.Fatal(err)
			}
			fault.Store(1)
			if err := l.SealSynced(t.Context()); !errors.Is(err, ErrNotWritable) {
				t.Fatalf("a failed write: %v", err)
			}
			for l.Writable() != nil {
				if err := t.Context().Err(); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.Close(context.WithoutCancel(t.Context())); err != nil {
				t.Fatal(err)
			}
			v, err := OpenReadOnly(l.Dir())
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			if list, last := newest(t, v); len(list) != 1 || !last {
				t.Errorf("%d checkpoints, the newest at the end: %t", len(list), last)
			}
		})
	}
}

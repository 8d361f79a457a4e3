package gaps_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/gaps"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// begin is the clock of the first entry; each later one is a second younger.
var begin = time.UnixMilli(1_772_359_200_000)

type rig struct {
	*testing.T
	dir string
	log *auditlog.Log
}

func newRig(t *testing.T) *rig {
	r := &rig{T: t, dir: filepath.Join(t.TempDir(), "log")}
	if _, err := auditlog.Create(r.dir, auditlog.Origin{Interval: 4}); err != nil {
		t.Fatal(err)
	}
	r.open()
	t.Cleanup(func() {
		if err := r.log.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) open() {
	r.Helper()
	var err error
	if r.log, err = auditlog.Open(r.dir, auditlog.Options{}); err != nil {
		r.Fatal(err)
	}
}

// cut prunes all before the first checkpoint, and returns its offset.
func (r *rig) cut() uint64 {
	r.Helper()
	// A cut is of what is stored in the index, as it is at the latest after a stop.
	if err := r.log.Close(r.Context()); err != nil {
		r.Fatal(err)
	}
	r.open()
	v, err := r.log.View()
	if err != nil {
		r.Fatal(err)
	}
	c, err := v.Checkpoint(0)
	v.Close()
	if err != nil {
		r.Fatal(err)
	}
	p := r.put(&logv1.Event{Kind: &logv1.Event_Prune{Prune: &logv1.Prune{LastOffset: c.Offset, Root: c.Root[:], Policy: "a test"}}})
	if err := errors.Join(r.log.CutSynced(r.Context(), p.Offset), r.log.ClearCut(r.Context())); err != nil {
		r.Fatal(err)
	}
	return c.Offset
}

func (r *rig) put(ev *logv1.Event) auditlog.Placed {
	r.Helper()
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		r.Fatal(err)
	}
	p, err := r.log.Append(d).Wait(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return p
}

// gap appends a Gap and returns when it was known.
func (r *rig) gap(witness, reason string, exchanges uint64, since time.Time) time.Time {
	r.Helper()
	g := &logv1.Gap{Witness: witness, Reason: reason, Exchanges: exchanges}
	if !since.IsZero() {
		g.SinceMs = uint64(since.UnixMilli())
	}
	p := r.put(&logv1.Event{Kind: &logv1.Event_Gap{Gap: g}})
	return time.UnixMilli(int64(p.ClockMS))
}

func loss(witness, reason string, exchanges uint64, since, until time.Time) gaps.Loss {
	return gaps.Loss{Witness: witness, Reason: reason, Exchanges: exchanges, Since: since, Until: until}
}

// want compares what a sum reads of the log now.
func (r *rig) want(s *gaps.Sum, from uint64, want ...gaps.Loss) {
	r.Helper()
	v, err := r.log.View()
	if err != nil {
		r.Fatal(err)
	}
	defer v.Close()
	for range 2 { // asked again, it is the same
		got, first, err := s.Read(r.Context(), v)
		if err != nil {
			r.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" || first != from {
			r.Errorf("from %d, want %d: %s", first, from, d)
		}
	}
}

func TestGapsAreSummedUpAsTheyCome(t *testing.T) {
	r, whole := newRig(t), &gaps.Sum{}
	r.want(whole, 0)
	// Over several windows, some without a Gap; what is sealed and what is open.
	first := r.gap("sidecar", "fail open", 3, begin)
	for range 9 {
		r.put(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{}}})
	}
	r.want(whole, 0, loss("sidecar", "fail open", 3, begin, first))
	second := r.gap("sidecar", "fail open", 4, begin.Add(-time.Hour))
	other := r.gap("sidecar", "an upgrade", 1, time.Time{})
	last := r.gap("envoy", "fail open", 1<<40, begin)
	want := []gaps.Loss{
		loss("envoy", "fail open", 1<<40, begin, last),
		loss("sidecar", "an upgrade", 1, other, other),
		loss("sidecar", "fail open", 7, begin.Add(-time.Hour), second),
	}
	r.want(whole, 0, want...)
	r.want(&gaps.Sum{}, 0, want...)
}

func TestASumStopsAndGoesOn(t *testing.T) {
	r, s := newRig(t), &gaps.Sum{}
	at := r.gap("envoy", "fail open", 2, begin)
	v, err := r.log.View()
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	stopped, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the caller is gone")
	cancel(why)
	if _, _, err := s.Read(stopped, v); !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
	r.want(s, 0, loss("envoy", "fail open", 2, begin, at))
}

// TestWhatIsPrunedIsNotSummedUp: a sum that began before the log was cut says the same
// as one that began behind it.
func TestWhatIsPrunedIsNotSummedUp(t *testing.T) {
	r, s := newRig(t), &gaps.Sum{}
	old := r.gap("envoy", "fail open", 2, begin)
	r.want(s, 0, loss("envoy", "fail open", 2, begin, old))
	for range 4 {
		r.put(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{}}})
	}
	young := r.gap("envoy", "fail open", 5, begin.Add(time.Hour))
	first := r.cut()
	want := loss("envoy", "fail open", 5, begin.Add(time.Hour), young)
	r.want(s, first, want)
	r.want(&gaps.Sum{}, first, want)
}

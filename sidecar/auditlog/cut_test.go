package auditlog_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// prune appends a Prune entry that orders a cut at a checkpoint.
func prune(t *testing.T, l *auditlog.Log, id uint64) (at uint64, c auditlog.CheckpointAt) {
	t.Helper()
	v := view(t, l)
	defer v.Close()
	c, err := v.Checkpoint(id)
	if err != nil {
		t.Fatal(err)
	}
	return put(t, l, pruneEvent(c)).Offset, c
}

func pruneEvent(c auditlog.CheckpointAt) *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_Prune{Prune: &logv1.Prune{LastOffset: c.Offset, Root: c.Root[:], Policy: "a test"}}}
}

// cutLog makes a log with starts among its entries, and cuts it at a checkpoint.
func cutLog(t *testing.T, interval uint64, requests int, ids ...uint64) (dir string, l *auditlog.Log) {
	t.Helper()
	dir = newLog(t, interval)
	l = open(t, dir, auditlog.Options{})
	for range 3 {
		put(t, l, &logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{BootId: "b"}}})
		grow(t, l, requests/3)
	}
	for _, id := range ids {
		l = stored(t, dir, l)
		at, _ := prune(t, l, id)
		for range 2 { // the second changes nothing
			if err := l.CutSynced(t.Context(), at); err != nil {
				t.Fatal(err)
			}
			if err := l.ClearCut(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir, l
}

func TestACutLeavesWhatIsKeptAndWhatIsBehindIt(t *testing.T) {
	const interval = 300
	dir, l := cutLog(t, interval, 1200, 1, 4)
	grow(t, l, 100)
	for _, reopened := range []bool{false, true} {
		if reopened {
			l = stored(t, dir, l)
		}
		v := view(t, l)
		checkCut(t, v, 5*interval)
		checkProofs(t, v)
		v.Close()
	}
	closeLog(t, l)
}

func checkCut(t *testing.T, v *auditlog.View, first uint64) {
	t.Helper()
	cut, ok := v.Cut()
	if !ok || cut.Offset != first || v.First() != first {
		t.Fatalf("cut %+v, %v, first %d; want %d", cut, ok, v.First(), first)
	}
	if cleared, err := v.Cleared(); !cleared || err != nil {
		t.Errorf("cleared %v, %v", cleared, err)
	}
	e, err := v.Entry(first)
	if err != nil || e.Hash() != cut.Root {
		t.Errorf("the checkpoint at the cut: %v, %v", e.Offset, err)
	}
	kinds := map[auditlog.Kind]int{}
	for e, err := range v.Kept(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := auditlog.Peek(e.Raw)
		if err != nil {
			t.Fatal(err)
		}
		kinds[kind]++
		if again, err := v.Entry(e.Offset); err != nil || again.Hash() != e.Hash() {
			t.Errorf("kept entry %d: %v", e.Offset, err)
		}
	}
	if kinds[auditlog.KindGenesis] != 1 || kinds[auditlog.KindStart] != 2 || kinds[auditlog.KindCheckpoint] != 4 || len(kinds) != 3 {
		t.Errorf("kept %v", kinds)
	}
	if _, err := v.Entry(first - 1); !errors.Is(err, auditlog.ErrPruned) {
		t.Errorf("an entry that was cut off: %v", err)
	}
	for _, err := range v.Entries(t.Context(), 5, 9) {
		if !errors.Is(err, auditlog.ErrPruned) {
			t.Errorf("entries that were cut off: %v", err)
		}
	}
	next := first
	for e, err := range v.Entries(t.Context(), first, v.Tip().Offset) {
		if err != nil || e.Offset != next {
			t.Fatalf("entry %d: %d, %v", next, e.Offset, err)
		}
		next++
	}
	if next != v.Tip().Offset+1 {
		t.Errorf("entries end at %d", next)
	}
}

func TestViewsOpenBeforeACutKeepWhatTheySaw(t *testing.T) {
	dir := newLog(t, 50)
	l := open(t, dir, auditlog.Options{})
	grow(t, l, 200)
	l = stored(t, dir, l)
	defer closeLog(t, l)
	old := view(t, l)
	at, _ := prune(t, l, 2)
	if err := l.CutSynced(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cleared := make(chan error, 1)
	go func() { cleared <- l.ClearCut(ctx) }()
	for range 3 {
		if n := len(events(t, old)); n < 400 {
			t.Errorf("%d entries left", n)
		}
	}
	cancel()
	if err := <-cleared; !errors.Is(err, context.Canceled) {
		t.Errorf("cleared under a reader: %v", err)
	}
	old.Close()
	if err := l.ClearCut(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestACutThatDoesNotFitIsRefused(t *testing.T) {
	dir := newLog(t, 50)
	l := open(t, dir, auditlog.Options{})
	grow(t, l, 100)
	l = stored(t, dir, l)
	defer closeLog(t, l)
	v := view(t, l)
	c, err := v.Checkpoint(1)
	v.Close()
	if err != nil {
		t.Fatal(err)
	}
	wrong := c
	wrong.Root[3] ^= 1
	behind := c
	behind.Offset++
	for name, ev := range map[string]*logv1.Event{
		"no prune entry": request("m"), "another root": pruneEvent(wrong), "no checkpoint": pruneEvent(behind),
	} {
		if err := l.CutSynced(t.Context(), put(t, l, ev).Offset); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	v = view(t, l)
	defer v.Close()
	if v.First() != 0 {
		t.Errorf("cut at %d", v.First())
	}
	if _, ok := v.Cut(); ok {
		t.Error("there is a cut")
	}
}

func TestMetersOfWhatWasCutOffAreForgotten(t *testing.T) {
	dir := newLog(t, 50)
	l := open(t, dir, auditlog.Options{})
	put(t, l, response(put(t, l, request("only-once")).Offset, "once"))
	grow(t, l, 200)
	l = stored(t, dir, l)
	defer closeLog(t, l)
	for i, id := range []uint64{1, 3} {
		at, c := prune(t, l, id)
		if err := errors.Join(l.CutSynced(t.Context(), at), l.ClearCut(t.Context())); err != nil {
			t.Fatal(err)
		}
		v := view(t, l)
		if list, err := ofMeter(t, v, "only-once"); err != nil || len(list) != 0 {
			t.Errorf("cut %d: %v, %v", i, list, err)
		}
		list, err := ofMeter(t, v, "m1")
		if err != nil || len(list) == 0 || list[0] < c.Offset {
			t.Errorf("cut %d: m1 %v, %v", i, list, err)
		}
		if first, err := v.OffsetAt(c.ClockMS); err != nil || first < c.Offset {
			t.Errorf("cut %d: the first entry of its time is %d, %v", i, first, err)
		}
		v.Close()
	}
}

// ofMeter finds all entries of a meter.
func ofMeter(t *testing.T, v *auditlog.View, id string) (list []uint64, err error) {
	t.Helper()
	for o, err := range v.Find(t.Context(), auditlog.Lookup{AllOf: [][]auditlog.Term{{auditlog.MeterTerm(id)}}, To: v.Tip().Offset}) {
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

func TestALoadedLogIsTheSame(t *testing.T) {
	for _, ids := range [][]uint64{nil, {1, 3}} {
		t.Run(fmt.Sprint(ids), func(t *testing.T) {
			_, l := cutLog(t, 100, 600, ids...)
			v := view(t, l)
			loaded := load(t, v)
			checkProofs(t, loaded)
			if loaded.Tip() != v.Tip() || loaded.First() != v.First() || loaded.ID() != v.ID() {
				t.Errorf("tip %v first %d, want %v first %d", loaded.Tip(), loaded.First(), v.Tip(), v.First())
			}
			a, errA := ofMeter(t, v, "m3")
			b, errB := ofMeter(t, loaded, "m3")
			if errA != nil || errB != nil || fmt.Sprint(a) != fmt.Sprint(b) {
				t.Errorf("meter %v, %v; %v, %v", a, errA, b, errB)
			}
			loaded.Close()
			v.Close()
			closeLog(t, l)
		})
	}
}

// load makes a copy of a view's log, entry by entry.
func load(t *testing.T, v *auditlog.View) *auditlog.View {
	t.Helper()
	dir := t.TempDir()
	var o auditlog.LoadOptions
	if cut, ok := v.Cut(); ok {
		base, err := v.Base()
		if err != nil {
			t.Fatal(err)
		}
		o = auditlog.LoadOptions{Cut: cut, Base: base}
	}
	loader, err := auditlog.NewLoader(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := v.Nodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for id, h := range nodes {
		if err := loader.KeepNode(id, h); err != nil {
			t.Fatal(err)
		}
	}
	for e, err := range v.Kept(t.Context()) {
		if err := errors.Join(err, loader.KeepEntry(e)); err != nil {
			t.Fatal(err)
		}
	}
	for e, err := range v.Entries(t.Context(), v.First(), v.Tip().Offset) {
		if err := errors.Join(err, loader.Add(e)); err != nil {
			t.Fatal(err)
		}
	}
	if err := loader.Close(); err != nil {
		t.Fatal(err)
	}
	loaded, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

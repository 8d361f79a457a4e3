package auditlog_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newLog creates a log with the interval and returns its directory.
func newLog(t *testing.T, interval uint64) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: interval}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t *testing.T, dir string, o auditlog.Options) *auditlog.Log {
	t.Helper()
	l, err := auditlog.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeLog(t *testing.T, l *auditlog.Log) {
	t.Helper()
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func request(meters ...string) *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: meters, Body: []byte("{}")}}}
}

func response(to uint64, output string) *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: to, Output: []byte(output)}}}
}

func draft(t *testing.T, ev *logv1.Event) auditlog.Draft {
	t.Helper()
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func put(t *testing.T, l *auditlog.Log, ev *logv1.Event) auditlog.Placed {
	t.Helper()
	p, err := l.Append(draft(t, ev)).Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func view(t *testing.T, l *auditlog.Log) *auditlog.View {
	t.Helper()
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// events reads the whole view and checks its chain.
func events(t *testing.T, v *auditlog.View) []*logv1.Event {
	t.Helper()
	var list []*logv1.Event
	prev, clock := chain.Hash{}, uint64(0)
	for e, err := range v.Entries(t.Context(), 0, v.Tip().Offset) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Offset != uint64(len(list)) || e.PrevEntryHash != prev || e.EventHash() != chain.EventHash(e.Raw) {
			t.Fatalf("entry %d does not fit the chain", e.Offset)
		}
		ev, err := e.Event()
		if err != nil {
			t.Fatal(err)
		}
		if ev.GetWallClockMs() < clock {
			t.Fatalf("the clock goes back at %d", e.Offset)
		}
		prev, clock = e.Hash(), ev.GetWallClockMs()
		list = append(list, ev)
	}
	if tip := v.Tip(); tip.Offset+1 != uint64(len(list)) || tip.Hash != prev {
		t.Fatalf("tip %d %s, entries end at %d %s", tip.Offset, tip.Hash, len(list)-1, prev)
	}
	return list
}

func TestFullWindowsAreSealedAtMultiplesOfTheInterval(t *testing.T) {
	l := open(t, newLog(t, 10), auditlog.Options{})
	l.Skip("health")
	for i := range 20 {
		p := put(t, l, request(fmt.Sprint("m", i%3)))
		put(t, l, response(p.Offset, fmt.Sprint(i)))
	}
	v := view(t, l)
	list := events(t, v)
	checkpoints, err := v.Checkpoints(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range checkpoints {
		want := uint64(i+1) * 10
		if c.Offset != want || c.Checkpoint.GetFirstOffset() != want-10 || c.Checkpoint.GetLastOffset() != want-1 ||
			c.Checkpoint.GetCheckpointId() != uint64(i) || c.Checkpoint.GetReason() != logv1.SealReason_SEAL_REASON_INTERVAL {
			t.Errorf("checkpoint %d at %d: %v", i, c.Offset, c.Checkpoint)
		}
		checkFooter(t, list, c.Checkpoint)
	}
	if len(checkpoints) != 4 {
		t.Errorf("%d checkpoints, want 4", len(checkpoints))
	}
	if s := checkpoints[0].Checkpoint.GetSkipped(); len(s) != 1 || s[0].GetReason() != "health" || s[0].GetExchanges() != 1 {
		t.Errorf("first checkpoint skipped %v", s)
	}
	if s := checkpoints[1].Checkpoint.GetSkipped(); len(s) != 0 {
		t.Errorf("second checkpoint skipped %v", s)
	}
	v.Close()
	closeLog(t, l)
}

// checkFooter recomputes a checkpoint's roots from the events.
func checkFooter(t *testing.T, list []*logv1.Event, c *logv1.Checkpoint) {
	t.Helper()
	var outputs chain.Root
	for _, ev := range list[c.GetFirstOffset() : c.GetLastOffset()+1] {
		if r := ev.GetResponse(); r != nil {
			outputs.Add(chain.EventHash(r.GetOutput()))
		}
	}
	if root := outputs.Sum(); root != chain.Hash(c.GetOutputRoot()) || outputs.Count() != c.GetOutputCount() {
		t.Errorf("checkpoint %d: output root %x of %d, want %s of %d", c.GetCheckpointId(),
			c.GetOutputRoot(), c.GetOutputCount(), root, outputs.Count())
	}
}

func TestReopenedLogGoesOnInTheSameChain(t *testing.T) {
	dir := newLog(t, 7)
	want := 1
	for range 5 {
		l := open(t, dir, auditlog.Options{})
		for range 4 {
			p := put(t, l, request("m"))
			put(t, l, response(p.Offset, "out"))
		}
		closeLog(t, l)
		want += 8
	}
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	requests, stops := 0, 0
	for _, ev := range events(t, v) {
		if ev.GetRequest() != nil || ev.GetResponse() != nil {
			requests++
		}
		if ev.GetCheckpoint().GetReason() == logv1.SealReason_SEAL_REASON_STOP {
			stops++
		}
	}
	if requests != want-1 || stops == 0 {
		t.Errorf("%d requests and responses, want %d; %d stop seals", requests, want-1, stops)
	}
}

func TestOpenRequestsAreClosedWhenTheLogOpens(t *testing.T) {
	dir := newLog(t, 5)
	l := open(t, dir, auditlog.Options{})
	var left []uint64
	for i := range 12 {
		p := put(t, l, request("m"))
		if i%3 == 0 {
			left = append(left, p.Offset)
		} else {
			put(t, l, response(p.Offset, "x"))
		}
	}
	closeLog(t, l)
	l = open(t, dir, auditlog.Options{})
	v := view(t, l)
	var closed []uint64
	for _, ev := range events(t, v) {
		if a := ev.GetAbort(); a != nil && a.GetDelivered() == logv1.Delivered_DELIVERED_MAYBE {
			closed = append(closed, a.GetRequestOffset())
		}
	}
	if !slices.Equal(closed, left) {
		t.Errorf("closed %v, left open %v", closed, left)
	}
	v.Close()
	closeLog(t, l)
}

func TestManyWritersShareTheChainAndTheIndexFindsAll(t *testing.T) {
	dir := newLog(t, 100)
	l := open(t, dir, auditlog.Options{})
	const writers, each = 32, 40
	want := make([][]uint64, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range each {
				p, err := l.Append(draft(t, request(fmt.Sprint("meter-", w)))).Wait(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				r, err := l.Append(draft(t, response(p.Offset, "x"))).Wait(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				want[w] = append(want[w], p.Offset, r.Offset)
			}
		})
	}
	wg.Wait()
	check := func(v *auditlog.View) {
		t.Helper()
		events(t, v)
		for w := range writers {
			got, err := found(t, v, auditlog.Lookup{AllOf: [][]auditlog.Term{{auditlog.MeterTerm(fmt.Sprint("meter-", w))}}, To: v.Tip().Offset})
			if err != nil || !slices.Equal(got, want[w]) {
				t.Fatalf("meter %d: %v, %v; want %v", w, got, err, want[w])
			}
		}
	}
	v := view(t, l)
	check(v)
	snapshot, err := l.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	copied, err := auditlog.OpenReadOnly(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	check(copied)
	copied.Close()
	if err := auditlog.RemoveSnapshot(snapshot); err != nil {
		t.Fatal(err)
	}
	v.Close()
	closeLog(t, l)
	v, err = auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	check(v)
	v.Close()
}

func TestTheClockNeverGoesBack(t *testing.T) {
	clock := time.UnixMilli(1_800_000_000_000)
	l := open(t, newLog(t, 1000), auditlog.Options{Now: func() time.Time { return clock }})
	first := put(t, l, request("m"))
	clock = clock.Add(-time.Hour)
	second := put(t, l, request("m"))
	if second.ClockMS != first.ClockMS {
		t.Errorf("clock %d after %d", second.ClockMS, first.ClockMS)
	}
	v := view(t, l)
	events(t, v)
	v.Close()
	closeLog(t, l)
}

func TestOffsetAtFindsTheFirstEntryOfATime(t *testing.T) {
	var mu sync.Mutex
	clock := time.UnixMilli(4_000_000_000_000)
	l := open(t, newLog(t, 10), auditlog.Options{Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return clock
	}})
	for range 95 {
		mu.Lock()
		clock = clock.Add(time.Second)
		mu.Unlock()
		put(t, l, request("m"))
	}
	v := view(t, l)
	list := events(t, v)
	for probe := uint64(4_000_000_000_000) - 500; probe < 4_000_000_097_000; probe += 500 {
		want := uint64(slices.IndexFunc(list, func(ev *logv1.Event) bool { return ev.GetWallClockMs() >= probe }))
		if want == ^uint64(0) {
			want = uint64(len(list))
		}
		got, err := v.OffsetAt(probe)
		if err != nil || got != want {
			t.Fatalf("at %d: offset %d, %v; want %d", probe, got, err, want)
		}
	}
	v.Close()
	closeLog(t, l)
}

func TestAWindowIsSealedByAge(t *testing.T) {
	l := open(t, newLog(t, 1000), auditlog.Options{MaxAge: time.Millisecond})
	put(t, l, request("m"))
	sealedByAge(t, l, 0)
	closeLog(t, l)
}

// sealedByAge waits for a checkpoint, which age is to be the reason of.
func sealedByAge(t *testing.T, l *auditlog.Log, id int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		v := view(t, l)
		list, err := v.Checkpoints(t.Context(), 0)
		v.Close()
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > id {
			if r := list[id].Checkpoint.GetReason(); r != logv1.SealReason_SEAL_REASON_AGE {
				t.Errorf("sealed by %s", r)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("never sealed")
		}
	}
}

func TestAppendAfterCloseIsRefused(t *testing.T) {
	l := open(t, newLog(t, 10), auditlog.Options{})
	closeLog(t, l)
	if _, err := l.Append(draft(t, request("m"))).Wait(context.Background()); !errors.Is(err, auditlog.ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
}

// A log that was written while the wall clock was ahead keeps that clock: its windows
// are sealed by age all the same.
func TestAWindowIsSealedByAgeWhereTheClockWasPutBack(t *testing.T) {
	dir := newLog(t, 1000)
	ahead := open(t, dir, auditlog.Options{Now: func() time.Time { return time.Now().AddDate(1, 0, 0) }})
	put(t, ahead, request("m"))
	closeLog(t, ahead)
	l := open(t, dir, auditlog.Options{MaxAge: time.Millisecond})
	put(t, l, request("m"))
	sealedByAge(t, l, 1)
	closeLog(t, l)
}

// A wall clock before 1970 must not put the log's, which never goes back, at its end.
func TestAClockBefore1970(t *testing.T) {
	l := open(t, newLog(t, 1000), auditlog.Options{Now: func() time.Time { return time.Unix(-1, 0) }})
	p := put(t, l, request("m"))
	if now := uint64(time.Now().UnixMilli()); p.ClockMS > now {
		t.Errorf("clock %d, and now is %d", p.ClockMS, now)
	}
	closeLog(t, l)
}

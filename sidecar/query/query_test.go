package query_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/query"
	"verbatim/tests/forge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	interval = 10
	beginMS  = 4_000_000_000_000 // of the log's clock; Genesis is older
)

// stored is an entry as the tests expect it.
type stored struct {
	offset, clockMS uint64
	meters          []string
	kind            auditlog.Kind
	status          uint32 // of a response that has one
}

// recorded fills a log: each exchange has one or two of five meters, or none,
// takes two seconds and ends with one of several statuses or an abort, and the
// last window stays open.
func recorded(t *testing.T, dir string) *auditlog.Log {
	t.Helper()
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: interval}); err != nil {
		t.Fatal(err)
	}
	var clock atomic.Int64
	clock.Store(beginMS)
	l, err := auditlog.Open(dir, auditlog.Options{Now: func() time.Time { return time.UnixMilli(clock.Add(1000)) }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 23 {
		exchange(t, l, i)
	}
	return l
}

// more records some exchanges.
func more(t *testing.T, l *auditlog.Log) {
	t.Helper()
	for i := range 3 {
		exchange(t, l, i)
	}
}

// exchange records one, and what it is by its number.
func exchange(t *testing.T, l *auditlog.Log, i int) {
	t.Helper()
	put := func(ev *logv1.Event) uint64 {
		d, err := auditlog.NewDraft(ev)
		if err != nil {
			t.Fatal(err)
		}
		p, err := l.Append(d).Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return p.Offset
	}
	ids := []string{fmt.Sprint("m", i%5), fmt.Sprint("m", i%3)}[:i%3]
	o := put(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: ids}}})
	if i%7 == 6 {
		put(&logv1.Event{Kind: &logv1.Event_Abort{Abort: &logv1.Abort{RequestOffset: o}}})
		return
	}
	out, err := proto.Marshal(&logv1.Output{Status: []uint32{200, 200, 404, 503, 0}[i%5]})
	if err != nil {
		t.Fatal(err)
	}
	put(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: o, Output: out}}})
}

// all reads what a selection is compared with, without an index.
func all(t *testing.T, v *auditlog.View) []stored {
	t.Helper()
	var list []stored
	for e, err := range v.Entries(t.Context(), 0, v.Tip().Offset) {
		if err != nil {
			t.Fatal(err)
		}
		ev, err := e.Event()
		if err != nil {
			t.Fatal(err)
		}
		s := stored{offset: e.Offset, clockMS: ev.GetWallClockMs(), meters: ev.GetRequest().GetMeterIds()}
		switch k := ev.GetKind().(type) {
		case *logv1.Event_Request:
			s.kind = auditlog.KindRequest
		case *logv1.Event_Response:
			s.kind, s.meters = auditlog.KindResponse, list[k.Response.GetRequestOffset()].meters
			var out logv1.Output
			if err := proto.Unmarshal(k.Response.GetOutput(), &out); err != nil {
				t.Fatal(err)
			}
			s.status = out.GetStatus()
		case *logv1.Event_Abort:
			s.kind, s.meters = auditlog.KindAbort, list[k.Abort.GetRequestOffset()].meters
		case *logv1.Event_Checkpoint:
			s.kind = auditlog.KindCheckpoint
		}
		list = append(list, s)
	}
	return list
}

// expected is the selection's meaning, entry by entry.
func expected(list []stored, s query.Selection) []uint64 {
	list = slices.Clone(list)
	if s.Order == query.NewestFirst {
		slices.Reverse(list)
	}
	var want []uint64
	for _, e := range list {
		switch {
		case s.Start != nil && e.offset < *s.Start, s.End != nil && e.offset > *s.End:
		case s.FromMS != nil && e.clockMS < *s.FromMS, s.ToMS != nil && e.clockMS > *s.ToMS:
		case len(s.Meters) > 0 && !slices.ContainsFunc(e.meters, func(m string) bool { return slices.Contains(s.Meters, m) }):
		case len(s.Kinds) > 0 && !slices.Contains(s.Kinds, e.kind):
		case len(s.Statuses) > 0 && !slices.ContainsFunc(s.Statuses, e.ended):
		case s.Limit > 0 && uint64(len(want)) == s.Limit:
		default:
			want = append(want, e.offset)
		}
	}
	return want
}

// ended says whether an entry ended a request with a status.
func (e stored) ended(s query.Status) bool {
	switch name := s.String(); name {
	case "abort":
		return e.kind == auditlog.KindAbort
	case fmt.Sprint(e.status), fmt.Sprint(e.status/100, "xx"):
		return true
	}
	return false
}

func selected(ctx context.Context, v *auditlog.View, s query.Selection) ([]uint64, error) {
	var got []uint64
	for e, err := range query.Select(ctx, v, s) {
		if err != nil {
			return got, err
		}
		got = append(got, e.Offset)
	}
	return got, nil
}

func TestASelectionIsWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := recorded(t, dir)
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	checkSelections(t, v)
	v.Close()
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v, err = auditlog.OpenReadOnly(dir); err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	checkSelections(t, v)
}

// checkSelections tries combinations of all bounds against the definition.
func checkSelections(t *testing.T, v *auditlog.View) {
	t.Helper()
	list := all(t, v)
	tip := v.Tip().Offset
	if tip%interval == 0 {
		t.Fatalf("the newest entry %d leaves no window open", tip)
	}
	offsets := []*uint64{nil, new(uint64(0)), new(uint64(9)), new(uint64(10)), new(uint64(31)), new(tip)}
	clocks := []*uint64{nil, new(list[1].clockMS), new(list[20].clockMS), new(list[33].clockMS + 500), new(list[tip].clockMS)}
	meters := [][]string{nil, {"m0"}, {"m1", "m4"}, {"m2", "m2", "none"}, {"none"}}
	kinds := [][]auditlog.Kind{nil, {auditlog.KindResponse}, {auditlog.KindRequest, auditlog.KindAbort}, nil, {auditlog.KindCheckpoint}, {auditlog.KindGap}}
	ends := [][]query.Status{nil, nil, statuses(t, "200"), statuses(t, "5xx", "abort"), nil, statuses(t, "4xx", "503", "299"), statuses(t, "3xx")}
	n := 0
	for _, start := range offsets {
		for _, end := range offsets {
			for _, from := range clocks {
				for _, to := range append(clocks, new(uint64(math.MaxUint64))) {
					for i, ids := range meters {
						n++
						s := query.Selection{
							Start: start, End: end, FromMS: from, ToMS: to, Meters: ids, Limit: uint64(i % 3 * 4),
							Kinds: kinds[n%len(kinds)], Statuses: ends[n%len(ends)], Order: query.Order(n % 2),
						}
						if s.Check() == nil {
							checkSelection(t, v, s, expected(list, s))
						}
					}
				}
			}
		}
	}
}

// checkSelection compares what a selection gives, and what one that goes on behind
// an entry of it gives.
func checkSelection(t *testing.T, v *auditlog.View, s query.Selection, want []uint64) {
	t.Helper()
	got, err := selected(t.Context(), v, s)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%s: %v, %v; want %v", show(s), got, err, want)
	}
	if len(want) == 0 || s.Limit > 0 {
		return
	}
	middle := len(want) / 2
	s.Cursor = s.Cursors(v.ID()).After(want[middle])
	if got, err = selected(t.Context(), v, s); err != nil || !slices.Equal(got, want[middle+1:]) {
		t.Fatalf("%s, behind %d: %v, %v; want %v", show(s), want[middle], got, err, want[middle+1:])
	}
}

func statuses(t *testing.T, names ...string) (list []query.Status) {
	t.Helper()
	for _, name := range names {
		s, err := query.ParseStatus(name)
		if err != nil || s.String() != name {
			t.Fatalf("%s: %v, %v", name, s, err)
		}
		list = append(list, s)
	}
	return list
}

func show(s query.Selection) string {
	text := fmt.Sprintf("meters %.40q, kinds %v, statuses %v, %s, limit %d", s.Meters, s.Kinds, s.Statuses, s.Order, s.Limit)
	for name, p := range map[string]*uint64{"start": s.Start, "end": s.End, "from": s.FromMS, "to": s.ToMS} {
		if p != nil {
			text += fmt.Sprintf(", %s %d", name, *p)
		}
	}
	return text
}

func TestABoundThatCannotBeMetIsAnError(t *testing.T) {
	l := recorded(t, filepath.Join(t.TempDir(), "log"))
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	tip := v.Tip().Offset
	for name, c := range map[string]struct {
		selection query.Selection
		want      error
		says      string
	}{
		"start":         {query.Selection{Start: new(tip + 1)}, query.ErrRange, "select entry 52: bound lies outside the log, which has the offsets 0 to 51"},
		"end":           {query.Selection{End: new(uint64(math.MaxUint64))}, query.ErrRange, "select entry 18446744073709551615: bound lies outside the log, which has the offsets 0 to 51"},
		"from":          {query.Selection{FromMS: new(uint64(beginMS + 3_600_000))}, query.ErrRange, "select entries from 2096-10-02T08:06:40.000Z on: bound lies outside the log: all are older"},
		"from, no year": {query.Selection{FromMS: new(uint64(math.MaxUint64))}, query.ErrRange, "select entries from 18446744073709551615 ms on: bound lies outside the log: all are older"},
		"to":            {query.Selection{ToMS: new(uint64(0))}, query.ErrRange, "select entries until 1970-01-01T00:00:00.000Z: bound lies outside the log: all are newer"},
		"offsets":       {query.Selection{Start: new(uint64(8)), End: new(uint64(7))}, query.ErrSelection, "selection contradicts itself: the start offset 8 is behind the end offset 7"},
		"kinds":         {query.Selection{Kinds: []auditlog.Kind{auditlog.KindGap, auditlog.KindRequest}, Statuses: statuses(t, "5xx")}, query.ErrSelection, "selection contradicts itself: a status is that of a response or an abort, and the kind gap has none"},
		"times":         {query.Selection{FromMS: new(uint64(2000)), ToMS: new(uint64(1999))}, query.ErrSelection, "selection contradicts itself: it begins at 1970-01-01T00:00:02.000Z, later than it ends, at 1970-01-01T00:00:01.999Z"},
	} {
		got, err := selected(t.Context(), v, c.selection)
		if !errors.Is(err, c.want) || err.Error() != c.says || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range []query.Selection{{}, {Meters: []string{"m0"}}, {Order: query.NewestFirst}} {
		if _, err := selected(stopped, v, s); !errors.Is(err, context.Canceled) {
			t.Errorf("%s after cancel: %v", show(s), err)
		}
	}
	v.Close()
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAMissingEntryIsAnError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := recorded(t, dir)
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	list := all(t, v)
	v.Close()
	gone := list[slices.IndexFunc(list, func(e stored) bool { return e.offset > interval && slices.Contains(e.meters, "m1") })].offset
	if err := forge.Remove(dir, gone); err != nil {
		t.Fatal(err)
	}
	if v, err = auditlog.OpenReadOnly(dir); err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	says := fmt.Sprintf("select entries: log is damaged: entry %d is missing", gone)
	for _, s := range []query.Selection{
		{}, {End: &gone}, {Meters: []string{"m1"}}, {Kinds: []auditlog.Kind{auditlog.KindRequest}},
		{Order: query.NewestFirst}, {Meters: []string{"m1"}, Order: query.NewestFirst},
	} {
		got, err := selected(t.Context(), v, s)
		before := s
		if s.Order == query.NewestFirst {
			before.Start = new(gone + 1)
		} else {
			before.End = new(gone - 1)
		}
		if want := expected(list, before); !errors.Is(err, auditlog.ErrDamaged) || err.Error() != says || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v and %s", show(s), got, err, want, says)
		}
	}
	// A caller that stops before it never learns of it.
	first, err := selected(t.Context(), v, query.Selection{Limit: gone})
	if err != nil || uint64(len(first)) != gone {
		t.Errorf("the %d entries before it: %v, %v", gone, first, err)
	}
}

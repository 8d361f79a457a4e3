package query_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/query"
)

// pruneAt cuts a log at a checkpoint, as the retention does.
func pruneAt(t *testing.T, l *auditlog.Log, id uint64, gone bool) auditlog.CheckpointAt {
	t.Helper()
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	c, err := v.Checkpoint(id)
	v.Close()
	if err != nil {
		t.Fatal(err)
	}
	d, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Prune{Prune: &logv1.Prune{LastOffset: c.Offset, Root: c.Root[:]}}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Append(d).Wait(t.Context())
	if err == nil {
		err = l.CutSynced(t.Context(), p.Offset)
	}
	if err == nil && gone {
		err = l.ClearCut(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What is denied, and then gone, is selected by nothing and said to be pruned.
func TestAPrunedLogIsSelectedFromItsCutOn(t *testing.T) {
	for _, gone := range []bool{false, true} {
		l := recorded(t, filepath.Join(t.TempDir(), "log"))
		v, err := l.View()
		if err != nil {
			t.Fatal(err)
		}
		before := all(t, v)
		v.Close()
		cut := pruneAt(t, l, 1, gone)
		if v, err = l.View(); err != nil {
			t.Fatal(err)
		}
		list := slices.Concat(before[cut.Offset:], []stored{{offset: uint64(len(before)), clockMS: 1 << 62}}) // with the Prune entry
		for _, s := range []query.Selection{
			{}, {Order: query.NewestFirst}, {Meters: []string{"m1"}}, {Meters: []string{"m0", "m1"}, Order: query.NewestFirst},
			{Kinds: []auditlog.Kind{auditlog.KindCheckpoint, auditlog.KindGenesis}}, {Statuses: statuses(t, "2xx")},
			{FromMS: &before[3].clockMS, Kinds: []auditlog.Kind{auditlog.KindResponse}},
		} {
			checkSelection(t, v, s, expected(list, s))
		}
		old := query.Selection{}.Cursors(v.ID()).After(cut.Offset - 2)
		for says, s := range map[string]query.Selection{
			"select entry 19: bound lies outside the log, which has the offsets 20 to 52: what was before is pruned": {Start: new(cut.Offset - 1)},
			"select entry 0: bound lies outside the log, which has the offsets 20 to 52: what was before is pruned":  {End: new(uint64(0))},
			"select entries until 1970-01-01T00:00:00.000Z: bound lies outside the log: all are newer":               {ToMS: new(uint64(0))},
			"cursor does not fit: it goes on behind entry 18, and what came next is pruned up to 19; begin again":    {Cursor: old},
		} {
			got, err := selected(t.Context(), v, s)
			if err == nil || err.Error() != says || got != nil || !errors.Is(err, query.ErrRange) && !errors.Is(err, query.ErrCursor) {
				t.Errorf("%s: %v, %v", show(s), got, err)
			}
		}
		s := query.Selection{Order: query.NewestFirst}
		s.Cursor = s.Cursors(v.ID()).After(cut.Offset - 2)
		if got, err := selected(t.Context(), v, s); err != nil || got != nil {
			t.Errorf("what is before the cut, newest first: %v, %v", got, err)
		}
		meters := query.NewMeters(v)
		here := list[slices.IndexFunc(list, func(e stored) bool { return e.kind == auditlog.KindRequest && len(e.meters) > 0 })]
		for request, want := range map[uint64][]string{cut.Offset - 3: nil, here.offset: here.meters} {
			ev := &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: request}}}
			if got, err := meters.Of(v.Tip().Offset, ev); err != nil || !slices.Equal(got, want) {
				t.Errorf("meters of an answer to %d: %v, %v; want %v", request, got, err, want)
			}
		}
		v.Close()
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A selection that was given in part goes on as it was written, though what it began
// with is pruned since.
func TestASelectionGoesOnBehindWhatIsPruned(t *testing.T) {
	l := recorded(t, filepath.Join(t.TempDir(), "log"))
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	list := all(t, v)
	v.Close()
	cut := pruneAt(t, l, 1, true)
	if v, err = l.View(); err != nil {
		t.Fatal(err)
	}
	for _, s := range []query.Selection{
		{Start: new(uint64(0)), End: new(uint64(30))}, {Start: new(uint64(3)), FromMS: &list[3].clockMS, Meters: []string{"m1"}, End: new(uint64(51))},
		{Start: new(uint64(0)), End: new(cut.Offset - 1)}, {ToMS: &list[cut.Offset-1].clockMS},
	} {
		for last := cut.Offset - 2; last <= cut.Offset+2; last++ {
			s.Cursor = s.Cursors(v.ID()).After(last)
			got, err := selected(t.Context(), v, s)
			if last == cut.Offset-2 {
				if !errors.Is(err, query.ErrCursor) {
					t.Errorf("%s, behind %d, which is pruned: %v, %v", show(s), last, got, err)
				}
				continue
			}
			want := slices.DeleteFunc(expected(list, s), func(o uint64) bool { return o <= last })
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s, behind %d: %v, %v; want %v", show(s), last, got, err, want)
			}
		}
		s.Order = query.NewestFirst
		s.Cursor = s.Cursors(v.ID()).After(30)
		if got, err := selected(t.Context(), v, s); !errors.Is(err, query.ErrRange) || got != nil {
			t.Errorf("%s: %v, %v", show(s), got, err)
		}
	}
	v.Close()
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

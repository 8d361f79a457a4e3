package query_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/query"
)

// page reads some of a selection's entries and gives the cursor behind them.
func page(t *testing.T, v *auditlog.View, s query.Selection, size uint64) ([]uint64, string) {
	t.Helper()
	s.Limit = size
	got, err := selected(t.Context(), v, s)
	if err != nil {
		t.Fatalf("%s: %v", show(s), err)
	}
	if len(got) == 0 {
		return nil, s.Cursor
	}
	return got, s.Cursors(v.ID()).After(got[len(got)-1])
}

func TestPagesAreTheWholeOnALogThatGrows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := recorded(t, dir)
	for _, s := range []query.Selection{
		{}, {Meters: []string{"m0", "m1"}}, {Statuses: statuses(t, "200", "abort"), Meters: []string{"m1"}},
		{Order: query.NewestFirst}, {Order: query.NewestFirst, Kinds: []auditlog.Kind{auditlog.KindRequest, auditlog.KindCheckpoint}},
	} {
		first, err := l.View()
		if err != nil {
			t.Fatal(err)
		}
		want := expected(all(t, first), s)
		first.Close()
		var got []uint64
		for size := uint64(1); ; size++ {
			v, err := l.View()
			if err != nil {
				t.Fatal(err)
			}
			part, cursor := page(t, v, s, size)
			if s.Order == query.OldestFirst { // then it comes to what is new
				want = expected(all(t, v), s)
			}
			v.Close()
			got, s.Cursor = append(got, part...), cursor
			if len(part) == 0 {
				break
			}
			if size < 5 {
				more(t, l)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v; want %v", show(s), got, want)
		}
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestACursorThatDoesNotFitIsRefused(t *testing.T) {
	l, other := recorded(t, filepath.Join(t.TempDir(), "log")), recorded(t, filepath.Join(t.TempDir(), "log"))
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	of := query.Selection{
		Meters: []string{"m1", "m0"}, Kinds: []auditlog.Kind{auditlog.KindAbort, auditlog.KindResponse}, Statuses: statuses(t, "5xx", "200"),
		Start: new(uint64(0)), ToMS: new(^uint64(0)),
	}
	cursor := of.Cursors(v.ID()).After(7)
	same := of
	same.Meters, same.Kinds = []string{"m0", "m1", "m0"}, []auditlog.Kind{auditlog.KindResponse, auditlog.KindAbort}
	same.Statuses, same.Limit, same.Cursor = statuses(t, "200", "5xx", "200"), 2, cursor
	if _, err := selected(t.Context(), v, same); err != nil {
		t.Errorf("the same selection, written otherwise: %v", err)
	}
	with := func(change func(*query.Selection)) query.Selection {
		s := of
		s.Cursor = cursor
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		selection query.Selection
		says      string
	}{
		"cut":        {with(func(s *query.Selection) { s.Cursor = cursor[:39] }), "is none that verbatim gave; copy it whole"},
		"changed":    {with(func(s *query.Selection) { s.Cursor = "B" + cursor[1:] }), "is none that verbatim gave"},
		"one letter": {with(func(s *query.Selection) { s.Cursor = cursor[:30] + string(cursor[30]^1) + cursor[31:] }), "is none that verbatim gave"},
		"no base64":  {with(func(s *query.Selection) { s.Cursor = "no cursor" }), `cursor does not fit: "no cursor" is none that verbatim gave`},
		"log":        {with(func(s *query.Selection) { s.Cursor = of.Cursors(other.ID()).After(7) }), "it is of another log, " + other.ID().String()[:16] + "..., and this one is " + l.ID().String()[:16]},
		"order":      {with(func(s *query.Selection) { s.Order = query.NewestFirst }), "it goes on oldest first, and the selection is newest first"},
		"end":        {with(func(s *query.Selection) { s.Cursor = of.Cursors(v.ID()).After(v.Tip().Offset + 1) }), "it goes on behind entry 52, and the log ends at 51"},
		"start":      {with(func(s *query.Selection) { s.Start = nil }), "it is of another selection"},
		"to":         {with(func(s *query.Selection) { s.ToMS = new(^uint64(0) - 1) }), "it is of another selection"},
		"meters":     {with(func(s *query.Selection) { s.Meters = []string{"m1m0"} }), "it is of another selection"},
		"kinds":      {with(func(s *query.Selection) { s.Kinds = s.Kinds[1:] }), "it is of another selection"},
		"statuses":   {with(func(s *query.Selection) { s.Statuses = s.Statuses[:1] }), "it is of another selection"},
	} {
		got, err := selected(t.Context(), v, c.selection)
		if !errors.Is(err, query.ErrCursor) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	v.Close()
	for _, l := range []*auditlog.Log{l, other} {
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatIsNoStatusIsRefused(t *testing.T) {
	for _, text := range []string{"", "99", "65536", "-1", "+200", "2x", "xx", "0xx", "20x", "5XX", "open", "aborted", " 200", "1e3"} {
		if s, err := query.ParseStatus(text); err == nil {
			t.Errorf("%q is read as %s", text, s)
		}
	}
}

// FuzzCursor: what is no cursor is an error, and what is one goes on where it says.
func FuzzCursor(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		f.Fatal(err)
	}
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(v.Close)
	f.Add(query.Selection{}.Cursors(v.ID()).After(0))
	f.Fuzz(func(t *testing.T, text string) {
		s := query.Selection{Cursor: text}
		from, behind, err := s.Span(v)
		switch {
		case text == "":
		case err != nil && !errors.Is(err, query.ErrCursor):
			t.Errorf("%q: %v", text, err)
		case err == nil && (s.Cursors(v.ID()).After(from-1) != text || behind != v.Tip().Offset+1):
			t.Errorf("%q goes on at %d, before %d", text, from, behind)
		}
	})
}

package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// broken is a writer that fails from the nth write on.
type broken struct {
	written strings.Builder
	writes  int
}

var errFull = errors.New("no space left")

func (b *broken) Write(p []byte) (int, error) {
	if b.writes--; b.writes < 0 {
		return 0, errFull
	}
	return b.written.Write(p)
}

// shown are rows of a log that holds only its genesis.
func shown(t *testing.T, format string, w *broken) rows {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		t.Fatal(err)
	}
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	form, err := formatOf(format)
	if err != nil {
		t.Fatal(err)
	}
	return form(w, v)
}

// What a client named its meter can't draw on the terminal of whoever looks, or
// make lines of its own.
func TestATableHasOneLineAnEntry(t *testing.T) {
	w := &broken{writes: 10}
	r := shown(t, "table", w)
	for _, id := range []string{"m1", "ü", "a\n9999  checkpoint", "\x1b[2J", "\xff"} {
		if err := r.add(row{event: request([]string{id}, "GET", "/a\rb", nil), meters: []string{id}}); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSuffix(w.written.String(), "\n"), "\n")
	if len(lines) != 6 || strings.ContainsAny(w.written.String(), "\x1b\r\xff") {
		t.Errorf("%d lines: %q", len(lines), w.written.String())
	}
	for i, part := range []string{"METERS", " m1 ", " ü ", `"a\n9999  checkpoint"`, `"\x1b[2J"`, `"\xff"`} {
		if !strings.Contains(lines[i], part) {
			t.Errorf("line %d: %s; want %s", i, lines[i], part)
		}
	}
}

func TestAnOutputThatCannotBeWrittenIsAnError(t *testing.T) {
	ev := &logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{}}}
	for _, format := range []string{"table", "csv", "json"} {
		for at := range 2 { // the head, or the only line of JSON; a row
			w := &broken{writes: at}
			r := shown(t, format, w)
			var err error
			for range 2 {
				if err = r.add(row{event: ev}); err != nil {
					break
				}
			}
			if !errors.Is(err, errFull) {
				t.Errorf("%s, write %d: %v", format, at, err)
			}
		}
	}
	for _, format := range []string{"table", "csv"} {
		if err := shown(t, format, &broken{}).end(); !errors.Is(err, errFull) {
			t.Errorf("the head of a %s: %v", format, err)
		}
	}
}

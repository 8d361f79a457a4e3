package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/tests/forge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newLog makes a log of some windows and returns its directory.
func newLog(t *testing.T, requests int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 10}); err != nil {
		t.Fatal(err)
	}
	grow(t, dir, requests)
	return dir
}

func grow(t *testing.T, dir string, requests int) {
	t.Helper()
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range requests {
		put(t, l, &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: []string{fmt.Sprint("m", i%3)}, Body: make([]byte, 500)}}})
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, l *auditlog.Log, ev *logv1.Event) {
	t.Helper()
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(d).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func tip(t *testing.T, dir string) auditlog.Tip {
	t.Helper()
	seen, err := look(dir)
	if err != nil {
		t.Fatal(err)
	}
	return seen.tip
}

func absent(t *testing.T, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if _, err := os.Lstat(p); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is there: %v", p, err)
		}
	}
}

func TestACopyIsALogAndGoesOn(t *testing.T) {
	dir := newLog(t, 95)
	to := filepath.Join(t.TempDir(), "copy")
	r, err := TakeSynced(t.Context(), Options{From: dir, To: to})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Report.OK() || r.Tip != tip(t, dir) || r.Copied == 0 || r.Linked != 0 {
		t.Errorf("%+v, findings %v", r, r.Report.Findings)
	}
	absent(t, to+".partial", filepath.Join(to, "db", "LOG"))
	grow(t, to, 5)
	if tip(t, to).Offset <= r.Tip.Offset || tip(t, dir) != r.Tip {
		t.Error("the copy does not go on alone")
	}
}

func TestASnapshotOfARunningLogIsCopied(t *testing.T) {
	dir := newLog(t, 30)
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "copy")
	if _, err := TakeSynced(t.Context(), Options{From: dir, To: to}); !errors.Is(err, auditlog.ErrInUse) {
		t.Errorf("a log that is written was copied: %v", err)
	}
	absent(t, to, to+partialSuffix)
	snapshot, err := l.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		var err error
		for range 50 {
			d, bad := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}})
			_, wait := l.Append(d).Wait(context.Background())
			err = errors.Join(err, bad, wait)
		}
		ended <- err
	}()
	r, err := TakeSynced(t.Context(), Options{From: snapshot, To: to})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-ended, l.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	if !r.Report.OK() || r.Tip.Offset >= tip(t, dir).Offset || r.Tip != tip(t, to) {
		t.Errorf("the copy ends at %d, the log at %d: %v", r.Tip.Offset, tip(t, dir).Offset, r.Report.Findings)
	}
}

func TestTablesThatAnEarlierCopyHasAreLinked(t *testing.T) {
	dir, copies := newLog(t, 40), t.TempDir()
	first, second := filepath.Join(copies, "1"), filepath.Join(copies, "2")
	if _, err := TakeSynced(t.Context(), Options{From: dir, To: first}); err != nil {
		t.Fatal(err)
	}
	// A table with the right name and size, and other bytes, is not taken.
	tables, err := filepath.Glob(filepath.Join(first, "db", "*.sst"))
	if err != nil || len(tables) < 2 {
		t.Fatalf("%d tables: %v", len(tables), err)
	}
	b, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if err := os.WriteFile(tables[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := TakeSynced(t.Context(), Options{From: dir, To: second, Like: first})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Report.OK() || r.Linked == 0 || r.Copied < int64(len(b)) {
		t.Errorf("%+v %v", r, r.Report.Findings)
	}
	for i, name := range tables {
		a, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.Stat(filepath.Join(second, "db", filepath.Base(name)))
		if err != nil || os.SameFile(a, b) != (i > 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheLogItselfIsNoEarlierBackup(t *testing.T) {
	dir, to := newLog(t, 5), filepath.Join(t.TempDir(), "copy")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for _, like := range []string{dir, link} {
		if _, err := TakeSynced(t.Context(), Options{From: dir, To: to, Like: like}); !errors.Is(err, ErrItself) {
			t.Errorf("like %s: %v", like, err)
		}
	}
	if err := apart(filepath.Join(dir, "db"), dir); !errors.Is(err, ErrItself) {
		t.Errorf("like the log whose snapshot is copied: %v", err)
	}
	if _, err := TakeSynced(t.Context(), Options{From: dir, To: to, Like: filepath.Join(dir, "..", "none")}); err != nil {
		t.Errorf("like none: %v", err)
	}
}

// TestAPlaceWhereAVolumeIsMounted is known before anything is copied.
func TestAPlaceWhereAVolumeIsMounted(t *testing.T) {
	if !volume("/proc") || volume(t.TempDir()) {
		t.Errorf("/proc %v, a directory %v", volume("/proc"), volume(t.TempDir()))
	}
}

func TestNothingIsReplaced(t *testing.T) {
	dir, other := newLog(t, 5), newLog(t, 3)
	before := tip(t, other)
	for name, c := range map[string]struct {
		to   string
		want error
	}{
		"another log":       {other, ErrExists},
		"the log itself":    {dir, ErrExists},
		"inside the log":    {filepath.Join(dir, "copy"), ErrInside},
		"inside its tables": {filepath.Join(dir, "db", "copy"), ErrInside},
		"nowhere":           {filepath.Join(dir, "..", "no", "copy"), os.ErrNotExist},
	} {
		if _, err := TakeSynced(t.Context(), Options{From: dir, To: c.to}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if tip(t, other) != before {
		t.Error("the other log has changed")
	}
	if _, err := TakeSynced(t.Context(), Options{From: dir, To: t.TempDir()}); err != nil {
		t.Errorf("an empty directory: %v", err)
	}
}

func TestWhatAKilledCopyLeftGoes(t *testing.T) {
	dir, to := newLog(t, 5), filepath.Join(t.TempDir(), "copy")
	left := to + partialSuffix
	if err := errors.Join(os.MkdirAll(filepath.Join(left, "db", "x"), 0o700), os.WriteFile(filepath.Join(left, "FORMAT"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	p, err := begin(filepath.Join(t.TempDir(), "other"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := TakeSynced(t.Context(), Options{From: dir, To: to}); err != nil {
		t.Fatal(err)
	}
	absent(t, left)
	// One that is under way is left alone, and so is what is something else.
	busy := p.dir[:len(p.dir)-len(partialSuffix)]
	if _, err := TakeSynced(t.Context(), Options{From: dir, To: busy}); !errors.Is(err, ErrBusy) {
		t.Errorf("beside another: %v", err)
	}
	p.end()
	letter := filepath.Join(p.dir, "letter")
	if err := errors.Join(os.MkdirAll(p.dir, 0o700), os.WriteFile(letter, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := TakeSynced(t.Context(), Options{From: dir, To: busy}); err == nil {
		t.Error("something else was taken for a copy")
	}
	if _, err := os.Stat(letter); err != nil {
		t.Error(err)
	}
}

func TestADamagedLogIsCopiedAsItIs(t *testing.T) {
	dir := newLog(t, 30)
	if err := forge.FlipBit(dir, 5, forge.RawAt+8); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "copy")
	r, err := TakeSynced(t.Context(), Options{From: dir, To: to})
	if err != nil {
		t.Fatal(err)
	}
	if r.Report.OK() || r.Report.Findings[0].Offset != 5 || tip(t, to) != tip(t, dir) {
		t.Errorf("findings %v", r.Report.Findings)
	}
}

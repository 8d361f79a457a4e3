package archive_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
	"verbatim/tests/forge"
)

func TestAnArchiveOfAnotherLogIsRefused(t *testing.T) {
	p := folder(t)
	b := p.open(t)
	archived(t, options(b, site(t)))
	before := p.objects(t)
	_, err := archiver(options(b, site(t))).Once(t.Context())
	if !errors.Is(err, archive.ErrForeign) {
		t.Errorf("archived: %v", err)
	}
	if after := p.objects(t); len(after) != len(before) {
		t.Errorf("%d objects became %d", len(before), len(after))
	}
}

// copied is a copy of a log that goes on by itself.
func copied(t *testing.T, dir string) *auditlog.Log {
	t.Helper()
	to := filepath.Join(t.TempDir(), "log")
	if err := forge.Copy(dir, to); err != nil {
		t.Fatal(err)
	}
	l, err := auditlog.Open(to, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestAnotherHistoryIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 10}); err != nil {
		t.Fatal(err)
	}
	one, two := copied(t, dir), copied(t, dir)
	record(t, one, 30)
	record(t, two, 20)
	p := folder(t)
	b := p.open(t)
	o := options(b, one)
	archived(t, o)
	for range 2 {
		if _, err := archiver(options(b, two)).Once(t.Context()); !errors.Is(err, archive.ErrFork) {
			t.Errorf("archived: %v", err)
		}
		record(t, two, 30) // now it is the longer one
	}
	sameLog(t, one, restored(t, b), archived(t, o).Through)
}

// TestAnotherHistoryThatWasPrunedIsRefused: the offset at which the archive ends is
// gone there.
func TestAnotherHistoryThatWasPrunedIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 10}); err != nil {
		t.Fatal(err)
	}
	one := copied(t, dir)
	record(t, one, 20)
	first, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	record(t, first, 2)
	if err := first.Close(t.Context()); err != nil { // seals, so that later windows end elsewhere
		t.Fatal(err)
	}
	two := copied(t, dir)
	record(t, two, 50)
	p := folder(t)
	b := p.open(t)
	through := archived(t, options(b, one)).Through
	if _, c := prune(t, two, 7); c.Offset <= through.Offset {
		t.Fatalf("cut at %d, archived through %d", c.Offset, through.Offset)
	}
	if _, err := archiver(options(b, two)).Once(t.Context()); !errors.Is(err, archive.ErrFork) {
		t.Errorf("archived: %v", err)
	}
}

func TestAnArchiveThatLostItsNewestManifestIsSeen(t *testing.T) {
	l, p := site(t), folder(t)
	b := p.open(t)
	o := options(b, l)
	archived(t, o)
	record(t, l, 30)
	s := archived(t, o)
	path := p.path("manifests/0000000000000000000" + string(rune('0'+s.Manifest)))
	text := read(t, path)
	remove(t, path)
	if _, err := archiver(o).Once(t.Context()); !errors.Is(err, archive.ErrRolledBack) || !strings.Contains(err.Error(), "is gone") {
		t.Errorf("archived: %v", err)
	}
	for _, key := range p.objects(t) {
		remove(t, p.path(key))
	}
	if _, err := archiver(o).Once(t.Context()); !errors.Is(err, archive.ErrRolledBack) {
		t.Errorf("archived into what was emptied: %v", err)
	}
	// Another manifest of the same number, as another process would write it.
	forged := strings.Replace(string(text), "number", "number ", 1)
	write(t, path, []byte(forged))
	if _, err := archiver(o).Once(t.Context()); !errors.Is(err, archive.ErrAltered) {
		t.Errorf("archived behind nonsense: %v", err)
	}
}

// TestWhatIsBrokenDoesNotGoUp: the links are checked before.
func TestWhatIsBrokenDoesNotGoUp(t *testing.T) {
	for name, at := range map[string]uint64{"early": 3, "the newest": 0} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "log")
			if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 10}); err != nil {
				t.Fatal(err)
			}
			l, err := auditlog.Open(dir, auditlog.Options{})
			if err != nil {
				t.Fatal(err)
			}
			record(t, l, 30)
			if err := l.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			tip := tipOf(t, dir)
			if at == 0 {
				at = tip
			}
			if err := forge.FlipBit(dir, at, forge.RawAt+20); err != nil {
				t.Fatal(err)
			}
			v, err := auditlog.OpenReadOnly(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			p := folder(t)
			o := archive.Options{Bucket: p.open(t), View: func() (*auditlog.View, func(), error) { return v, func() {}, nil }}
			_, err = archiver(o).Once(t.Context())
			if !errors.Is(err, archive.ErrBroken) {
				t.Errorf("archived: %v", err)
			}
			for _, key := range p.objects(t) {
				if strings.HasPrefix(key, "manifests/") {
					t.Errorf("there is %s", key)
				}
			}
		})
	}
}

func tipOf(t *testing.T, dir string) uint64 {
	t.Helper()
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	return v.Tip().Offset
}

// cut prunes a log at a checkpoint.
func cut(t *testing.T, l *auditlog.Log, id uint64) auditlog.CheckpointAt {
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
	at := put(t, l, &logv1.Event{Kind: &logv1.Event_Prune{Prune: &logv1.Prune{LastOffset: c.Offset, Root: c.Root[:], Policy: "a test"}}})
	if err := errors.Join(l.CutSynced(t.Context(), at), l.ClearCut(t.Context())); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnArchiveOutlivesAPrunedLog(t *testing.T) {
	l, p := site(t), folder(t)
	b := p.open(t)
	o := options(b, l)
	whole := archived(t, o)
	before := restored(t, b)
	c := cut(t, l, 2)
	if c.Offset > whole.Through.Offset {
		t.Fatalf("cut at %d, archived through %d", c.Offset, whole.Through.Offset)
	}
	record(t, l, 30)
	s := archived(t, o)
	after := restored(t, b)
	if after.First() != 0 || after.Tip().Offset != s.Through.Offset {
		t.Errorf("restored %d to %d", after.First(), after.Tip().Offset)
	}
	want, got := entries(t, before, whole.Through.Offset), entries(t, after, whole.Through.Offset)
	for i := range want {
		if want[i] != got[i] {
			t.Fatalf("entry %d is another", i)
		}
	}
}

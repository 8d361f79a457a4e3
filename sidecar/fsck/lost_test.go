package fsck_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/fsck"
	"verbatim/tests/forge"
)

// prefix checks that a repaired log is the first entries of the one that was, and no
// other ones, and what is said of the rest.
func prefix(t *testing.T, p *fsck.Repaired, to, honest string, end uint64) {
	t.Helper()
	was, is := view(t, honest), view(t, to)
	defer was.Close()
	defer is.Close()
	if is.Tip().Offset != end-1 || p.Proved == nil || p.Proved.Last != end-1 || p.Root != is.Tip().Hash {
		t.Fatalf("it ends at %d, proved %v; want %d: %s", is.Tip().Offset, p.Proved, end-1, p.Why)
	}
	e, err := was.Entry(end - 1)
	if err != nil || e.Hash() != is.Tip().Hash || is.ID() != was.ID() || is.First() != was.First() {
		t.Errorf("it is another log: %v", err)
	}
	if p.Lost == nil || p.Lost.First != end || p.Lost.Last != was.Tip().Offset || p.Why == "" {
		t.Errorf("lost %v, because %q", p.Lost, p.Why)
	}
	for r, err := range was.Records(t.Context(), nil, nil) {
		if kept, bad := is.Record(r.Key); err != nil || bad != nil || !bytes.Equal(kept, r.Value) {
			t.Errorf("record %s: %v, %v", r.Key, err, bad)
		}
	}
}

func stranded(t *testing.T, p *fsck.Repaired, want ...auditlog.Range) {
	t.Helper()
	if len(p.Stranded) != len(want) {
		t.Fatalf("stranded %v, want %v", p.Stranded, want)
	}
	for i := range want {
		if p.Stranded[i] != want[i] {
			t.Errorf("stranded %v, want %v", p.Stranded, want)
		}
	}
}

func TestAHoleEndsWhatIsSaved(t *testing.T) {
	for name, honest := range map[string]string{"whole": newLog(t, 200, 0), "pruned": newLog(t, 200, 0)} {
		const hole = 237
		dir := filepath.Join(t.TempDir(), "log")
		var still []string
		if name == "pruned" {
			prune(t, honest, 0)
			still = []string{"the log was cut here by a prune entry"} // which is lost
		}
		must(t, forge.Copy(honest, dir))
		must(t, forge.Remove(dir, hole))
		p, to := repair(t, dir, still...)
		// 236 is named by the entry that is gone, and by nothing else.
		prefix(t, p, to, honest, hole-1)
		v := view(t, honest)
		stranded(t, p, auditlog.Range{First: hole - 1, Last: hole - 1}, auditlog.Range{First: hole + 1, Last: v.Tip().Offset})
		v.Close()
	}
}

func TestAnEntryThatWasChangedIsNotTaken(t *testing.T) {
	honest := newLog(t, 200, 0)
	tip := view(t, honest)
	newest := tip.Tip().Offset
	tip.Close()
	for name, c := range map[string]struct {
		offset, end uint64
	}{"in a block": {150, 150}, "the genesis": {0, 0}, "the newest": {newest, newest}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "log")
			must(t, forge.Copy(honest, dir))
			must(t, forge.FlipBit(dir, c.offset, forge.RawAt+9))
			if c.end == 0 {
				before := content(t, dir)
				to := filepath.Join(t.TempDir(), "repaired")
				if _, err := fsck.RepairSynced(t.Context(), dir, to, nil); !errors.Is(err, fsck.ErrNothingLeft) {
					t.Errorf("a log without a genesis: %v", err)
				}
				if names, err := filepath.Glob(filepath.Join(to, "*")); err != nil || len(names) > 0 || len(before) != len(content(t, dir)) {
					t.Errorf("left behind: %v, %v", names, err)
				}
				return
			}
			p, to := repair(t, dir)
			prefix(t, p, to, honest, c.end)
			stranded(t, p, auditlog.Range{First: c.end, Last: newest})
		})
	}
}

// table is the largest table of a family.
func table(t *testing.T, dir, family string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "db", "*.sst"))
	must(t, err)
	found, size := "", 0
	for _, n := range names {
		b, err := os.ReadFile(n)
		must(t, err)
		// Its properties, whose names share their beginnings, name the family.
		if strings.Contains(string(b), "name"+family) && len(b) > size {
			found, size = n, len(b)
		}
	}
	if found == "" {
		t.Fatalf("no table of %s among %v", family, names)
	}
	return found
}

func flip(t *testing.T, path string, at int) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	b[at] ^= 1
	must(t, os.WriteFile(path, b, 0o600))
}

func TestDamagedFilesAreNamed(t *testing.T) {
	honest := newLog(t, 260, 0)
	want := answers(t, honest)
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string) string // the file
		all    bool                                  // everything can be saved
	}{
		"a table of an index is missing":   {remove("terms"), true},
		"a table of nodes is missing":      {remove("tree"), true},
		"a table of links is missing":      {remove("links"), true},
		"a block of an index is flipped":   {flipIn("terms"), true},
		"a block of links is flipped":      {flipIn("links"), true},
		"a table of entries is missing":    {remove("packed"), false},
		"a block of entries is flipped":    {flipIn("packed"), false},
		"the manifest is cut off":          {manifest(func(b []byte) []byte { return b[:len(b)/2] }), true},
		"the manifest is empty":            {manifest(func([]byte) []byte { return nil }), true},
		"the pointer to it is missing":     {gone("db/CURRENT"), true},
		"the mark is no number":            {text("durable", "x\n"), true},
		"the line of the format is a mess": {text("FORMAT", "\x00\x00"), true},
		"the line of the format is gone":   {gone("FORMAT"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "log")
			must(t, forge.Copy(honest, dir))
			file := c.damage(t, dir)
			found, err := fsck.Examine(t.Context(), dir, nil)
			must(t, err)
			named := false
			for _, f := range found.Findings {
				named = named || strings.Contains(f.String(), file)
			}
			if !named {
				t.Errorf("%s is not named: %v", file, found.Findings)
			}
			if c.all {
				_, to := repair(t, dir)
				same(t, answers(t, to), want)
				return
			}
			p, err := fsck.RepairSynced(t.Context(), dir, filepath.Join(t.TempDir(), "repaired"), nil)
			if err != nil && !errors.Is(err, fsck.ErrNothingLeft) {
				t.Fatal(err)
			}
			if err == nil && (p.Lost == nil || !p.Saved.OK()) {
				t.Errorf("lost %v, findings %v", p.Lost, p.Saved.Findings)
			}
		})
	}
}

func remove(family string) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		name := table(t, dir, family)
		must(t, os.Remove(name))
		return filepath.Base(name)
	}
}

func flipIn(family string) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		name := table(t, dir, family)
		flip(t, name, 40)
		return filepath.Base(name)
	}
}

func manifest(change func([]byte) []byte) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		names, err := filepath.Glob(filepath.Join(dir, "db", "MANIFEST-*"))
		if err != nil || len(names) != 1 {
			t.Fatal(names, err)
		}
		b, err := os.ReadFile(names[0])
		must(t, err)
		must(t, os.WriteFile(names[0], change(b), 0o600))
		return "db"
	}
}

func gone(name string) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		must(t, os.Remove(filepath.Join(dir, name)))
		return name
	}
}

func text(name, content string) func(*testing.T, string) string {
	return func(t *testing.T, dir string) string {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
		return name
	}
}

// Nothing in a rebuilt store tells that there were records, so the file is named.
func TestATableThatIsNotTakenOverIsNamed(t *testing.T) {
	t.Parallel()
	dir := newLog(t, 20, 0)
	name := table(t, dir, "records")
	must(t, os.Truncate(name, 40))
	gone("db/CURRENT")(t, dir)
	p, err := fsck.RepairSynced(t.Context(), dir, filepath.Join(t.TempDir(), "repaired"), nil)
	must(t, err)
	base := filepath.Base(name)
	if len(p.Dropped) != 1 || p.Dropped[0] != base || !strings.Contains(strings.Join(p.Notes, "\n"), base) || !p.Saved.OK() {
		t.Errorf("dropped %v, notes %v", p.Dropped, p.Notes)
	}
}

// The hashes before the cut are nowhere else.
func TestAPrunedLogWithoutItsTreeIsLost(t *testing.T) {
	dir := newLog(t, 260, 2)
	for _, r := range stored(t, dir, "tree") {
		must(t, forge.Delete(dir, "tree", r.Key))
	}
	to := filepath.Join(t.TempDir(), "repaired")
	_, err := fsck.RepairSynced(t.Context(), dir, to, nil)
	if !errors.Is(err, fsck.ErrNothingLeft) || !strings.Contains(err.Error(), "the Merkle nodes of what was pruned are lost") {
		t.Errorf("saved without the tree: %v", err)
	}
	if names, err := filepath.Glob(filepath.Join(to, "*")); err != nil || len(names) > 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

// What is kept of a pruned part is taken over as far as the cut proves it.
func TestKeptEntriesThatCantBeProvedAreNotTaken(t *testing.T) {
	honest := newLog(t, 260, 2)
	dir := filepath.Join(t.TempDir(), "log")
	must(t, forge.Copy(honest, dir))
	list := stored(t, dir, "kept")
	last := list[len(list)-1]
	last.Value[len(last.Value)-1] ^= 1
	must(t, forge.Put(dir, "kept", last.Key, last.Value))
	must(t, forge.Delete(dir, "state", []byte("tip"))) // what else is wrong
	p, to := repair(t, dir, "what was pruned can't be checked")
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "is not taken over") {
		t.Errorf("notes %q", p.Notes)
	}
	if is := stored(t, to, "kept"); len(is) != len(list)-1 {
		t.Errorf("%d kept entries, want %d", len(is), len(list)-1)
	}
}

func TestAHealthyLogIsLeftAlone(t *testing.T) {
	dir, to := newLog(t, 30, 0), filepath.Join(t.TempDir(), "repaired")
	p, err := fsck.RepairSynced(t.Context(), dir, to, nil)
	if err != nil || !p.Clean() || p.Saved != nil {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was made: %v", err)
	}
	for name, want := range map[string]error{"nowhere": auditlog.ErrNotFound, "empty": auditlog.ErrNotALog} {
		other := filepath.Join(t.TempDir(), name)
		if name == "empty" {
			must(t, os.Mkdir(other, 0o700))
		}
		if _, err := fsck.Examine(t.Context(), other, nil); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, os.WriteFile(filepath.Join(dir, "FORMAT"), []byte("verbatim-log 2\n"), 0o600))
	if _, err := fsck.Examine(t.Context(), dir, nil); !errors.Is(err, auditlog.ErrVersion) {
		t.Errorf("version 2: %v", err)
	}
}

func TestALogThatIsWrittenIsNotExamined(t *testing.T) {
	dir := newLog(t, 5, 0)
	l := open(t, dir)
	defer closeLog(t, l)
	if _, err := fsck.Examine(t.Context(), dir, nil); !errors.Is(err, auditlog.ErrInUse) {
		t.Errorf("in use: %v", err)
	}
}

// What a killed process left in RocksDB's own log is read around the damage.
func TestARecordOfTheWALThatIsFlippedEndsWhatIsSaved(t *testing.T) {
	dir, killed := newLog(t, 30, 0), filepath.Join(t.TempDir(), "log")
	l := open(t, dir)
	for range 40 {
		put(t, l, &logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1, Reason: strings.Repeat("x", 100)}}})
	}
	must(t, forge.Copy(dir, killed))
	closeLog(t, l)
	names, err := filepath.Glob(filepath.Join(killed, "db", "*.log"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	wal := names[len(names)-1]
	info, err := os.Stat(wal)
	must(t, err)
	flip(t, wal, int(info.Size())/2)
	p, to := repair(t, killed)
	v := view(t, to)
	defer v.Close()
	if p.Lost == nil || v.Tip().Offset < 60 || v.Tip().Offset > 95 {
		t.Errorf("saved up to %d, lost %v", v.Tip().Offset, p.Lost)
	}
}

package fsck_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/fsck"
	"verbatim/sidecar/query"
	"verbatim/tests/forge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// interval is that of the logs here; a Merkle node is stored at 256 entries.
const interval = 100

// newLog makes a closed log of some windows, with records beside it; cutAt is the
// checkpoint at which it is pruned then, if not 0.
func newLog(t *testing.T, requests int, cutAt uint64) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: interval}); err != nil {
		t.Fatal(err)
	}
	l := open(t, dir)
	put(t, l, &logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{BootId: "b"}}})
	output, err := proto.Marshal(&logv1.Output{Status: 503, Body: []byte("down")})
	if err != nil {
		t.Fatal(err)
	}
	for i := range requests {
		o := put(t, l, &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: []string{fmt.Sprint("m", i%7)}, Body: fmt.Append(nil, i)}}})
		put(t, l, &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: o, Output: output}}})
	}
	if err := l.KeepSynced(t.Context(),
		auditlog.Record{Key: []byte("anchor/1"), Value: []byte("a receipt")}, auditlog.Record{Key: []byte("checkpoint/note/1"), Value: []byte("a note")}); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)
	if cutAt > 0 {
		prune(t, dir, cutAt)
	}
	return dir
}

func open(t *testing.T, dir string) *auditlog.Log {
	t.Helper()
	l, err := auditlog.Open(dir, auditlog.Options{})
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

func put(t *testing.T, l *auditlog.Log, ev *logv1.Event) uint64 {
	t.Helper()
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

func prune(t *testing.T, dir string, id uint64) {
	t.Helper()
	v := view(t, dir)
	c, err := v.Checkpoint(id)
	v.Close()
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, dir)
	at := put(t, l, &logv1.Event{Kind: &logv1.Event_Prune{Prune: &logv1.Prune{LastOffset: c.Offset, Root: c.Root[:]}}})
	if err := l.CutSynced(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if err := l.ClearCut(t.Context()); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)
}

func view(t *testing.T, dir string) *auditlog.View {
	t.Helper()
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// answers are what a reader is told: the root, every entry, what is kept of a pruned
// part, the records, the lists, and proofs.
func answers(t *testing.T, dir string) []string {
	t.Helper()
	v := view(t, dir)
	defer v.Close()
	cut, _ := v.Cut()
	told := []string{fmt.Sprint(v.ID(), v.Tip(), cut)}
	say := func(what string, a any, err error) {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		told = append(told, fmt.Sprint(what, " ", a))
	}
	for _, s := range []query.Selection{
		{}, {Meters: []string{"m3"}, Order: query.NewestFirst}, {Kinds: []auditlog.Kind{auditlog.KindCheckpoint, auditlog.KindStart}},
		{Statuses: []query.Status{status(t, "5xx")}, Meters: []string{"m1", "m2"}},
	} {
		for e, err := range query.Select(t.Context(), v, s) {
			say("selected", fmt.Sprint(e.Offset, e.Hash()), err)
		}
	}
	for e, err := range v.Kept(t.Context()) {
		say("kept", e.Hash(), err)
	}
	for r, err := range v.Records(t.Context(), nil, nil) {
		say("record", fmt.Sprintf("%s %s", r.Key, r.Value), err)
	}
	checkpoints, err := v.Checkpoints(t.Context(), 0)
	for _, c := range checkpoints {
		proof, err := v.ConsistencyProof(t.Context(), c.Offset, v.Tip().Offset+1)
		say("checkpoint", fmt.Sprint(c.Offset, c.Root, proof), err)
	}
	say("checkpoints", len(checkpoints), err)
	proof, err := v.InclusionProof(t.Context(), v.First()+1, v.Tip().Offset+1)
	say("proof", proof, err)
	at, err := v.OffsetAt(1 << 62)
	say("time", at, err)
	return told
}

func status(t *testing.T, text string) query.Status {
	t.Helper()
	s, err := query.ParseStatus(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%d answers, want %d; they differ from %d on: %.200q, want %.200q", len(got), len(want), i, at(got, i), at(want, i))
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "nothing"
}

// content is all files of a directory but for RocksDB's own chronicle.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, pattern := range []string{"*", "db/*"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			if info, err := os.Stat(n); err != nil || info.IsDir() || strings.HasPrefix(info.Name(), "LOG") {
				continue
			}
			b, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			files[n] = string(b)
		}
	}
	return files
}

// repair examines and repairs a damaged log, which must be damaged and stay as it is.
// In what is saved nothing is wrong, but what is still.
func repair(t *testing.T, dir string, still ...string) (*fsck.Repaired, string) {
	t.Helper()
	before := content(t, dir)
	found, err := fsck.Examine(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if found.Clean() {
		t.Fatal("nothing was found")
	}
	if !maps.Equal(before, content(t, dir)) {
		t.Fatal("the damaged log was written to when it was examined")
	}
	to := filepath.Join(t.TempDir(), "repaired")
	p, err := fsck.RepairSynced(t.Context(), dir, to, nil)
	if err != nil {
		t.Fatalf("%v; findings %v", err, found.Findings)
	}
	if !maps.Equal(before, content(t, dir)) {
		t.Fatal("the damaged log was written to when it was repaired")
	}
	if wrong := strings.Join(still, "; "); !p.Saved.OK() && (wrong == "" || !strings.Contains(p.Saved.Findings[0].Text, wrong)) || p.Saved.OK() && wrong != "" {
		t.Errorf("what was saved: %v, want %q", p.Saved.Findings, wrong)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(to), "*scratch*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return p, to
}

// derived are the families of which everything can be made again of the entries.
var derived = []string{"terms", "times", "checkpoints", "tree", "links"}

func key(n uint64) []byte {
	b := make([]byte, 8)
	for i := range b {
		b[7-i] = byte(n)
		n >>= 8
	}
	return b
}

func stored(t *testing.T, dir, family string) []forge.Record {
	t.Helper()
	list, err := forge.Stored(dir, family)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package golden

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/checkpoint"
	"verbatim/sidecar/query"
	"verbatim/sidecar/verify"
	"verbatim/tests/forge"
)

var update = flag.Bool("update", false, "make the golden log anew")

const (
	goldenLog     = "testdata/log-v1"
	goldenAnswers = "testdata/answers.txt"
)

// golden copies the log, so that nothing can change the golden one.
func golden(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if err := forge.Copy(goldenLog, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func view(t *testing.T, dir string) *auditlog.View {
	t.Helper()
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// verified wants a log without findings, its signatures among what is checked.
func verified(t *testing.T, v *auditlog.View) *verify.Report {
	t.Helper()
	ring, err := checkpoint.ParseKeyring([]byte(verifierKey + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	var walk checkpoint.Walk
	if err := walk.Begin(t.Context(), v, v.First()); err != nil {
		t.Fatal(err)
	}
	r, err := verify.Verify(t.Context(), v, verify.Options{Each: walk.Each, Of: walk.Kinds()})
	if err != nil || !r.OK() {
		t.Fatalf("findings %v, %v", r, err)
	}
	if err := walk.End(v, r); err != nil {
		t.Fatal(err)
	}
	s, err := checkpoint.Check(t.Context(), v, &walk, ring)
	if err != nil || !s.OK() || s.Through == nil {
		t.Fatalf("signatures: %+v, %v", s, err)
	}
	return r
}

// told is what a reader is told of a log, a line each.
type told struct {
	t    *testing.T
	text strings.Builder
}

func (a *told) line(err error, format string, args ...any) {
	a.t.Helper()
	if err != nil {
		a.t.Fatalf(format+": %v", append(args, err)...)
	}
	fmt.Fprintf(&a.text, format+"\n", args...)
}

func answers(t *testing.T, v *auditlog.View) string {
	a := &told{t: t}
	r := verified(t, v)
	cut, pruned := v.Cut()
	a.line(nil, "log %s version %d", v.ID(), v.Genesis().GetFormatVersion())
	a.line(nil, "continues %x at %x", v.Genesis().GetPredecessor().GetLogId(), v.Genesis().GetPredecessor().GetChainRoot())
	where := v.Genesis().GetAnchor()
	a.line(nil, "anchored on %s at %s by %s", where.GetNetwork(), where.GetContract(), where.GetWriter())
	a.line(nil, "entries %d to %d, root %s", v.First(), r.Tip, r.ChainRoot)
	a.line(nil, "pruned %d, kept %d, complete %v", r.Pruned.Gone, r.Pruned.Kept, r.Pruned.Complete)
	a.line(nil, "cut %v at %d root %s by %d", pruned, cut.Offset, cut.Root, cut.PruneOffset)
	a.line(nil, "requests %d responses %d aborts %d gaps %d checkpoints %d", r.Requests, r.Responses, r.Aborts, r.Gaps, r.Checkpoints)
	for e, err := range v.Kept(t.Context()) {
		kind, clock, _ := auditlog.Peek(e.Raw)
		a.line(err, "kept %d %s at %d %s", e.Offset, kind, clock, e.Hash())
	}
	for record, err := range v.Records(t.Context(), nil, nil) {
		a.line(err, "record %q %s", record.Key, chain.EventHash(record.Value))
	}
	for _, kind := range auditlog.Kinds() {
		a.selected(v, kind.String(), query.Selection{Kinds: []auditlog.Kind{kind}})
	}
	a.selected(v, "m3", query.Selection{Meters: []string{"m3"}, Order: query.NewestFirst})
	for _, text := range []string{"404", "5xx", "abort"} {
		status, err := query.ParseStatus(text)
		a.line(err, "status %s", text)
		a.selected(v, text, query.Selection{Statuses: []query.Status{status}})
	}
	a.proofs(v)
	return a.text.String()
}

func (a *told) selected(v *auditlog.View, what string, s query.Selection) {
	var offsets []uint64
	for e, err := range query.Select(a.t.Context(), v, s) {
		if err != nil {
			a.t.Fatalf("select %s: %v", what, err)
		}
		offsets = append(offsets, e.Offset)
	}
	a.line(nil, "%s %v", what, offsets)
}

// proofs proves entries and checkpoints, the kept ones too.
func (a *told) proofs(v *auditlog.View) {
	size := v.Tip().Offset + 1
	root, err := v.MerkleRoot(a.t.Context(), size)
	a.line(err, "merkle root of %d entries %s", size, root)
	for _, offset := range []uint64{0, v.First(), v.Tip().Offset} {
		e, err := v.Entry(offset)
		if err != nil {
			a.t.Fatal(err)
		}
		path, err := v.InclusionProof(a.t.Context(), offset, size)
		if err == nil {
			err = chain.VerifyInclusion(offset, size, e.Hash(), path, root)
		}
		a.line(err, "entry %d %s is in it, by %d hashes", offset, e.Hash(), len(path))
	}
	checkpoints, err := v.Checkpoints(a.t.Context(), 0)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, c := range checkpoints {
		own, _ := chain.FromBytes(c.Checkpoint.GetMerkleRoot())
		path, err := v.ConsistencyProof(a.t.Context(), c.Offset, size)
		if err == nil {
			err = chain.VerifyConsistency(c.Offset, size, path, own, root)
		}
		a.line(err, "checkpoint %d at %d %s begins it, by %d hashes", c.Checkpoint.GetCheckpointId(), c.Offset, c.Root, len(path))
	}
}

func TestTheGoldenLogIsWhatItWas(t *testing.T) {
	if *update {
		makeGolden(t, goldenLog)
	}
	v := view(t, golden(t))
	defer v.Close()
	got := answers(t, v)
	if *update {
		if err := os.WriteFile(goldenAnswers, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenAnswers)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the golden log says something else now (-was +is):\n%s", diff)
	}
	// It has everything that the format has.
	for _, kind := range auditlog.Kinds() {
		if strings.Contains(got, fmt.Sprintf("\n%s []", kind)) && !strings.Contains(got, fmt.Sprintf(" %s at ", kind)) {
			t.Errorf("it has no %s", kind)
		}
	}
	receipts := 0
	for r, err := range anchor.Receipts(t.Context(), v, 0) {
		if err != nil || r.GetLedger() != 7 {
			t.Errorf("receipt %v: %v", r, err)
		}
		receipts++
	}
	if _, ok := v.Cut(); !ok || receipts != 1 || !strings.Contains(got, `record "checkpoint/note/`) {
		t.Errorf("it has no cut, or no notes, or %d receipts", receipts)
	}
}

// Whatever is recorded now goes on in the same chain.
func TestTheGoldenLogGoesOn(t *testing.T) {
	dir := golden(t)
	v := view(t, dir)
	before := v.Tip()
	v.Close()
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		d, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1, Reason: "a test"}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append(d).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	v = view(t, dir)
	defer v.Close()
	r, err := verify.Verify(t.Context(), v, verify.Options{Trusted: map[uint64]chain.Hash{before.Offset: before.Hash}})
	if err != nil || !r.OK() || r.TrustedRoots != 1 || r.Tip < before.Offset+200 {
		t.Errorf("%+v, %v", r, err)
	}
}

// What a later version writes is not guessed at.
func TestANewerVersionIsRefusedWithASentence(t *testing.T) {
	for name, newer := range map[string]func(dir string) error{
		"the line": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "FORMAT"), []byte("verbatim-log 2\n"), 0o600)
		},
		"the genesis": func(dir string) error {
			return forge.Put(dir, "kept", make([]byte, 8), version2(t))
		},
	} {
		dir := golden(t)
		if err := newer(dir); err != nil {
			t.Fatal(err)
		}
		for what, open := range map[string]func() error{
			"read":  func() error { _, err := auditlog.OpenReadOnly(dir); return err },
			"write": func() error { _, err := auditlog.Open(dir, auditlog.Options{}); return err },
		} {
			if err := open(); !errors.Is(err, auditlog.ErrVersion) || !strings.Contains(err.Error(), "this verbatim reads version 1") {
				t.Errorf("%s says 2, to %s it: %v", name, what, err)
			}
		}
	}
}

// version2 is a genesis of version 2, as it is stored.
func version2(t *testing.T) []byte {
	t.Helper()
	raw, err := proto.Marshal(&logv1.Event{Kind: &logv1.Event_Genesis{Genesis: &logv1.Genesis{
		LogId: make([]byte, chain.Size), FormatVersion: 2, CheckpointInterval: 1000,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	hash, prev := chain.EventHash(raw), chain.Hash{}
	return slices.Concat(hash[:], prev[:], raw)
}

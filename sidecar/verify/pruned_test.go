package verify_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
	"verbatim/tests/forge"
)

// prunedLog is a log of which some may have been pruned.
type prunedLog struct {
	t   *testing.T
	dir string
	log *auditlog.Log
}

// prunable is a log with windows of ten entries, and a start in its middle.
func prunable(t *testing.T) prunedLog {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 10}); err != nil {
		t.Fatal(err)
	}
	p := prunedLog{t, dir, opened(t, dir)}
	p.put(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{BootId: "a"}}})
	p.record(12)
	p.put(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{BootId: "b"}}})
	p.record(12)
	return p
}

// opened is closed with the test, if not before.
func opened(t *testing.T, dir string) *auditlog.Log {
	t.Helper()
	l, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return l
}

// forged rewrites all that the log says, computed again.
func (p *prunedLog) forged(change func(forge.History)) {
	p.t.Helper()
	if err := p.log.Close(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	h, err := forge.Read(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	change(h)
	if err := h.Write(p.dir, forge.Recomputed); err != nil {
		p.t.Fatal(err)
	}
	p.log = opened(p.t, p.dir)
}

func (p prunedLog) put(ev *logv1.Event) uint64 {
	p.t.Helper()
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		p.t.Fatal(err)
	}
	placed, err := p.log.Append(d).Wait(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return placed.Offset
}

func (p prunedLog) record(exchanges int) {
	p.t.Helper()
	for range exchanges {
		o := p.put(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: []string{"m"}}}})
		p.put(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: o}}})
	}
}

// order is an honest Prune entry up to a checkpoint.
func (p prunedLog) order(id uint64) *logv1.Prune {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	c, err := v.Checkpoint(id)
	if err != nil {
		p.t.Fatal(err)
	}
	var hashes []byte
	kept := uint64(0)
	for e, err := range v.Entries(p.t.Context(), 0, c.Offset) {
		if err != nil {
			p.t.Fatal(err)
		}
		kind, _, err := auditlog.Peek(e.Raw)
		if err != nil {
			p.t.Fatal(err)
		}
		if h := e.Hash(); auditlog.StaysForEver(kind) {
			hashes = append(hashes, h[:]...)
			kept++
		}
	}
	policy := auditlog.PrunePolicy{Keep: 1, Clock: auditlog.PruneByCount, Cut: auditlog.PruneSealed, Kept: kept, KeptHash: chain.EventHash(hashes)}
	return &logv1.Prune{LastOffset: c.Offset, Root: c.Root[:], Policy: policy.String()}
}

func (p prunedLog) append(o *logv1.Prune) uint64 {
	return p.put(&logv1.Event{Kind: &logv1.Event_Prune{Prune: o}})
}

// cut carries out a Prune entry, whatever else it says.
func (p prunedLog) cut(offset uint64) {
	p.t.Helper()
	p.deny(offset)
	if err := p.log.ClearCut(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// deny cuts as a Prune entry says, and clears nothing.
func (p prunedLog) deny(offset uint64) {
	p.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !p.stored() {
		select {
		case <-tick.C:
		case <-p.t.Context().Done():
			p.t.Fatal("the windows are not stored")
		}
	}
	if err := p.log.CutSynced(p.t.Context(), offset); err != nil {
		p.t.Fatal(err)
	}
}

// stored says whether every sealed window is.
func (p prunedLog) stored() bool {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	id, _, err := v.Indexed()
	if err != nil {
		p.t.Fatal(err)
	}
	w, err := v.OpenWindow(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return id == w.Checkpoints
}

func (p prunedLog) view() *auditlog.View {
	p.t.Helper()
	v, err := p.log.View()
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// check checks what was pruned, and wants one finding, or none.
func (p prunedLog) check(code verify.Code, at uint64, text string) *verify.Pruned {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	found, findings, err := verify.CheckPruned(p.t.Context(), v)
	switch {
	case err != nil:
		p.t.Fatal(err)
	case code == "" && len(findings) > 0:
		p.t.Errorf("findings %v", findings)
	case code != "" && (len(findings) == 0 || findings[0].Code != code || findings[0].Offset != at || !strings.Contains(findings[0].Text, text)):
		p.t.Errorf("findings %v, want %s at %d: %s", findings, code, at, text)
	}
	return found
}

func TestAnHonestPruningHasNoFindings(t *testing.T) {
	t.Parallel()
	p := prunable(t)
	if found := p.check("", 0, ""); found.Orders != 0 || found.Cut.Offset != 0 {
		t.Errorf("%+v", found)
	}
	at := p.append(p.order(3))
	if found := p.check("", 0, ""); found.Orders != 1 || found.NotCarriedOut != 1 || found.Gone != 0 {
		t.Errorf("ordered: %+v", found)
	}
	p.record(5)
	p.cut(at)
	// Genesis, two starts, and the checkpoints at 10, 20 and 30 stay before the cut at 40.
	found := p.check("", 0, "")
	if found.Cut.Offset != 40 || found.Cut.PruneOffset != at || found.Kept != 6 || found.Gone != 34 || !found.Complete || found.NotCarriedOut != 0 {
		t.Errorf("pruned: %+v", found)
	}
}

// A process may end before what it cut off is cleared, or wait for readers.
func TestACutThatIsNotClearedYetHasNoFindings(t *testing.T) {
	t.Parallel()
	p := prunable(t)
	at := p.append(p.order(3))
	p.record(10)
	p.deny(at)
	v := p.view()
	defer v.Close()
	if cleared, err := v.Cleared(); cleared || err != nil {
		t.Fatalf("cleared %t, %v", cleared, err)
	}
	r, err := verify.Verify(t.Context(), v, verify.Options{})
	if err != nil || !r.OK() || r.Pruned.Cut.Offset != 40 || !r.Pruned.Complete {
		t.Errorf("%+v, %v", r, err)
	}
}

// A checkpoint that stays, as somebody may have kept it, vouches for what stays before it:
// a tree in which it was left and the rest exchanged is found.
func TestACheckpointOfAnotherTreeIsFoundAmongWhatStays(t *testing.T) {
	t.Parallel()
	p := prunable(t)
	p.forged(func(h forge.History) {
		h[20].Event.GetCheckpoint().MerkleRoot[3] ^= 1
		h[20].KeepFooter = true
	})
	at := p.append(p.order(3))
	p.record(5)
	p.cut(at)
	p.check(verify.CodeKept, 20, "the tree of the checkpoint at the cut has another at its size")
}

// A root that the reader kept is good for what stays, too.
func TestATrustedRootOfWhatStays(t *testing.T) {
	t.Parallel()
	p := prunable(t)
	v := p.view()
	roots := map[uint64]chain.Hash{}
	for _, offset := range []uint64{0, 1, 5, 20} {
		e, err := v.Entry(offset)
		if err != nil {
			t.Fatal(err)
		}
		roots[offset] = e.Hash()
	}
	v.Close()
	at := p.append(p.order(3))
	p.record(5)
	p.cut(at)
	for name, c := range map[string]struct {
		trusted  map[uint64]chain.Hash
		compared int
		text     string
	}{
		"the genesis and a checkpoint": {map[uint64]chain.Hash{0: roots[0], 20: roots[20]}, 2, ""},
		"another":                      {map[uint64]chain.Hash{20: roots[0]}, 1, "this is not the log that was trusted"},
		"a start":                      {map[uint64]chain.Hash{1: roots[1]}, 0, "was not checked: this verification begins at 40"},
		"one that is gone":             {map[uint64]chain.Hash{5: roots[5]}, 0, "was not checked: this verification begins at 40"},
	} {
		v := p.view()
		r, err := verify.Verify(t.Context(), v, verify.Options{Trusted: c.trusted})
		v.Close()
		if err != nil || r.TrustedRoots != c.compared || r.OK() != (c.text == "") || !r.OK() && !strings.Contains(r.Findings[0].Text, c.text) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestForgedPruneEntriesAreFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		forge func(*logv1.Prune)
		text  string
	}{
		"another root":    {func(o *logv1.Prune) { o.Root[5] ^= 1 }, "it names root "},
		"no root":         {func(o *logv1.Prune) { o.Root = nil }, "it names root "},
		"no checkpoint":   {func(o *logv1.Prune) { o.LastOffset-- }, "which is no checkpoint"},
		"an empty range":  {func(o *logv1.Prune) { o.FirstOffset = o.LastOffset }, "which is no range before it"},
		"what is behind":  {func(o *logv1.Prune) { o.LastOffset = 5000 }, "which is no range before it"},
		"a range of none": {func(o *logv1.Prune) { o.LastOffset = 0 }, "which is no range before it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prunable(t)
			o := p.order(3)
			c.forge(o)
			p.check(verify.CodePrune, p.append(o), c.text)
		})
	}
}

func TestACutThatWasNotOrderedIsFound(t *testing.T) {
	t.Parallel()
	t.Run("not sealed", func(t *testing.T) {
		t.Parallel()
		p := prunable(t)
		at := p.append(p.order(3))
		p.cut(at)
		p.check(verify.CodeCut, at, "no checkpoint seals this prune entry")
	})
	for name, c := range map[string]struct {
		forge func(*logv1.Prune)
		code  verify.Code
		text  string
	}{
		"entries that stay are fewer": {func(o *logv1.Prune) { o.Policy = strings.Replace(o.Policy, "kept=7:", "kept=8:", 1) }, verify.CodeKept, "7 entries up to here are there that stay for ever, but the prune entry at "},
		"entries that stay differ": {func(o *logv1.Prune) {
			i := strings.Index(o.GetPolicy(), ":") + 1
			o.Policy = o.GetPolicy()[:i] + chain.EventHash(nil).String()
		}, verify.CodeKept, "or others"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prunable(t)
			o := p.order(3)
			c.forge(o)
			at := p.append(o)
			p.record(5)
			p.cut(at)
			if found := p.check(c.code, 40, c.text); found.Complete {
				t.Errorf("complete: %+v", found)
			}
		})
	}
	t.Run("by another policy", func(t *testing.T) {
		t.Parallel()
		p := prunable(t)
		o := p.order(3)
		o.Policy = strings.Replace(o.GetPolicy(), "cut=sealed", "cut=anchored", 1)
		at := p.append(o)
		p.record(5)
		p.cut(at)
		p.check(verify.CodePrune, at, "its policy is to cut at anchored checkpoints")
	})
	t.Run("in words that nobody knows", func(t *testing.T) {
		t.Parallel()
		p := prunable(t)
		o := p.order(3)
		o.Policy = "as agreed"
		at := p.append(o)
		p.record(5)
		p.cut(at)
		if found := p.check("", 0, ""); found.Complete || found.Policy != "as agreed" {
			t.Errorf("%+v", found)
		}
	})
}

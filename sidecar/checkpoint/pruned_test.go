package checkpoint

import (
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// prune cuts the log at a checkpoint.
func (p *place) prune(id int) {
	p.t.Helper()
	c := p.checkpoints()[id]
	at := p.append(&logv1.Event{Kind: &logv1.Event_Prune{Prune: &logv1.Prune{LastOffset: c.Offset, Root: c.Root[:], Policy: "a test"}}})
	if err := p.log.CutSynced(p.t.Context(), at); err != nil {
		p.t.Fatal(err)
	}
	if err := p.log.ClearCut(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// In a log that was pruned the Start that named the keys is among what is kept, and
// so are the checkpoints that were signed.
func TestALogThatWasPruned(t *testing.T) {
	p, a := newPlace(t), newKey(t, "a")
	w := p.recording(a)
	p.seal(2)
	p.sign(w)
	p.seal(2)
	p.reopen() // with two checkpoints unsigned, by the process that is gone
	p.prune(2)
	v := p.view()
	if first := v.First(); first != p.checkpoints()[2].Offset {
		t.Fatalf("the log begins at %d", first)
	}
	v.Close()
	p.sign(p.worker(a))
	if n := len(p.kept()); n != len(p.checkpoints()) {
		t.Errorf("%d of %d checkpoints are signed", n, len(p.checkpoints()))
	}

	v = p.view()
	defer v.Close()
	walk := &Walk{}
	if err := walk.Begin(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	for e, err := range v.Entries(t.Context(), v.First(), v.Tip().Offset) {
		if err != nil {
			t.Fatal(err)
		}
		ev, err := e.Event()
		if err != nil {
			t.Fatal(err)
		}
		walk.Each(e, ev)
	}
	s, err := Check(t.Context(), v, walk, Trusted{Ring: ring(t, a.Public().String()), Whole: true})
	if err != nil || !s.OK() || s.Notes != uint64(len(p.checkpoints())) {
		t.Errorf("%+v, %v", s, err)
	}
	if f := walk.Contains(p.kept()[0], v.ID(), true); f != nil {
		t.Errorf("a checkpoint that was kept before the cut: %v", f)
	}
}

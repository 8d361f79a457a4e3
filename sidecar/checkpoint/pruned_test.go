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
	p.seal(1) // a log is cut behind a prune entry that is sealed
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
	walk, _ := p.walkFrom(v, nil)
	s, err := Check(t.Context(), v, walk, ring(t, a.Public().String()))
	if err != nil || !s.OK() || s.Notes != uint64(len(p.checkpoints())) {
		t.Errorf("%+v, %v", s, err)
	}
	if f := walk.Contains(p.kept()[0], v.ID()); f != nil {
		t.Errorf("a checkpoint that was kept before the cut: %v", f)
	}
}

// A verification that goes on from an earlier one checks the notes behind it.
func TestAVerificationThatGoesOn(t *testing.T) {
	p, a := newPlace(t), newKey(t, "a")
	w := p.recording(a)
	p.seal(3)
	p.sign(w)
	early := p.kept()[0]
	v := p.view()
	_, to := p.walkFrom(v, nil)
	v.Close()
	p.seal(2)
	p.sign(w)
	p.put(1, nil) // checked before, and not looked at again
	r := ring(t, a.Public().String())
	going := func() (*Walk, *Standing) {
		v := p.view()
		defer v.Close()
		walk, _ := p.walkFrom(v, to)
		s, err := Check(t.Context(), v, walk, r)
		if err != nil {
			t.Fatal(err)
		}
		return walk, s
	}
	walk, s := going()
	if !s.OK() || s.Notes != 3 || s.Unsigned != 0 || !walk.Names() {
		t.Errorf("%+v", s)
	}
	if f := walk.Contains(p.kept()[4], p.log.ID()); f != nil {
		t.Errorf("a checkpoint behind it: %v", f)
	}
	if f := walk.Contains(early, p.log.ID()); f == nil || f.Code != CodeKept || f.Offset != early.Offset {
		t.Errorf("a checkpoint before it, which was not compared: %v", f)
	}
	p.put(3, nil)
	if _, s := going(); len(s.Findings) != 1 || s.Findings[0].Code != CodeUnsigned {
		t.Errorf("a note behind it is gone: %+v", s)
	}
}

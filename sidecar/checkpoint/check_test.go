package checkpoint

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

func startEvent() *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{BootId: "b"}}}
}

// wantFinding wants one finding.
func wantFinding(t *testing.T, s *Standing, code verify.Code, offset uint64, words ...string) {
	t.Helper()
	if len(s.Findings) != 1 {
		t.Fatalf("findings %v, want %s", s.Findings, code)
	}
	f := s.Findings[0]
	if f.Code != code || f.Offset != offset {
		t.Errorf("finding %v, want %s at %d", f, code, offset)
	}
	for _, w := range words {
		if !strings.Contains(f.Text, w) {
			t.Errorf("finding %v lacks %q", f, w)
		}
	}
}

// signed is a closed log of five signed checkpoints, the last of a clean stop, and
// the key that signed.
func signed(t *testing.T) (*place, *Key) {
	t.Helper()
	p, a := newPlace(t), newKey(t, "a")
	w := p.recording(a)
	p.seal(4)
	p.append(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}})
	if err := p.log.SealSynced(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.sign(w)
	return p, a
}

func TestALogThatIsSigned(t *testing.T) {
	p, a := signed(t)
	for name, r := range map[string]*Keyring{"none": nil, "its key": ring(t, a.Public().String())} {
		s := p.check(r)
		if !s.OK() || s.Notes != 5 || s.Through.Checkpoint.GetCheckpointId() != 4 || s.NotYet != 0 || s.Unsigned != 0 || join(s.By) != a.Public().ID().String() {
			t.Errorf("keyring %s: %+v", name, s)
		}
	}
}

// What somebody who has the log's directory, and perhaps a key, can do to notes.
func TestNotesThatWereChanged(t *testing.T) {
	stranger := newKey(t, "a")
	for name, c := range map[string]struct {
		change func(p *place, a *Key, at func(id int) Checkpoint)
		code   verify.Code
		id     int // of the finding's checkpoint
		want   string
	}{
		"removed":           {func(p *place, _ *Key, _ func(int) Checkpoint) { p.put(2, nil) }, CodeUnsigned, 2, "checkpoint 2 has no signature"},
		"the last removed":  {func(p *place, _ *Key, _ func(int) Checkpoint) { p.put(4, nil) }, CodeUnsigned, 4, "checkpoint 4 has no signature"},
		"of another":        {func(p *place, _ *Key, _ func(int) Checkpoint) { p.put(2, p.kept()[1].Raw()) }, CodeSigned, 2, "THE LOG IS NOT THE ONE THAT WAS SIGNED"},
		"no note":           {func(p *place, _ *Key, _ func(int) Checkpoint) { p.put(2, []byte("x")) }, CodeNote, 2, "no signed note"},
		"by a stranger":     {func(p *place, _ *Key, at func(int) Checkpoint) { p.put(2, sign(p.t, at(2), stranger)) }, CodeSignature, 2, "which was not in force"},
		"by a stranger too": {func(p *place, a *Key, at func(int) Checkpoint) { p.put(2, sign(p.t, at(2), a, stranger)) }, CodeSignature, 2, "which was not in force"},
		"another root": {func(p *place, a *Key, at func(int) Checkpoint) {
			c := at(2)
			c.MerkleRoot = chain.Hash{9}
			p.put(2, sign(p.t, c, a))
		}, CodeSigned, 2, "root 0900"},
		"a signature moved": {func(p *place, _ *Key, at func(int) Checkpoint) {
			_, sigs, _ := strings.Cut(string(p.kept()[1].Raw()), "\n\n")
			p.put(2, []byte(at(2).Text()+"\n"+sigs))
		}, CodeSignature, 2, "is not good"},
	} {
		t.Run(name, func(t *testing.T) {
			p, a := signed(t)
			list := p.checkpoints()
			v := p.view()
			id := v.ID()
			v.Close()
			c.change(p, a, func(i int) Checkpoint { return Of(id, list[i]) })
			wantFinding(t, p.check(nil), c.code, list[c.id].Offset, c.want)
			wantFinding(t, p.check(ring(t, a.Public().String())), c.code, list[c.id].Offset, c.want)
		})
	}
}

func TestNotesOfNothing(t *testing.T) {
	p, a := signed(t)
	p.put(7, sign(t, golden, a))
	end := p.checkpoints()[4].Offset + 1
	wantFinding(t, p.check(nil), CodeNote, end, "there is a note of checkpoint 7")
	p.put(7, nil)
	if err := p.log.KeepSynced(t.Context(), auditlog.Record{Key: append(prefixNotes[:len(prefixNotes):len(prefixNotes)], 'x'), Value: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	wantFinding(t, p.check(nil), CodeNote, 0, "is none")
}

// Keys that the reader does not know, or that were retired.
func TestTheReadersKeyring(t *testing.T) {
	p, a := signed(t)
	stranger, list := newKey(t, "a"), p.checkpoints()
	s := p.check(ring(t, stranger.Public().String()))
	if len(s.Findings) != 5 || s.Findings[0].Code != CodeKey || s.Findings[0].Offset != list[0].Offset || s.Notes != 0 {
		t.Errorf("signed by a stranger: %+v", s)
	}
	s = p.check(ring(t, a.Public().String()+" until=12\n"+stranger.Public().String()+" from=13"))
	if len(s.Findings) != 2 || s.Findings[0].Code != CodeRetired || s.Findings[0].Offset != 16 || s.Notes != 3 || s.Through.Offset != 12 {
		t.Errorf("signed by a retired key: %+v", s)
	}
}

func TestALogWithoutSignatures(t *testing.T) {
	a := ring(t, newKey(t, "a").Public().String())
	p := newPlace(t)
	if s := p.check(nil); !s.OK() || s.Through != nil {
		t.Errorf("nothing is to be signed: %+v", s)
	}
	wantFinding(t, p.check(a), CodeNotSigned, 0, "nothing in this log is signed")
	p.start()
	p.seal(2)
	if s := p.check(nil); !s.OK() || s.Unsigned != 2 || s.Through != nil {
		t.Errorf("no key is in force: %+v", s)
	}
	wantFinding(t, p.check(a), CodeNotSigned, p.checkpoints()[0].Offset, "nothing in this log is signed")
	// A note all the same.
	v := p.view()
	c := Of(v.ID(), p.checkpoints()[1])
	v.Close()
	p.put(1, sign(t, c, newKey(t, "b")))
	wantFinding(t, p.check(nil), CodeSignature, c.Offset, "no key was in force")
}

// A Start without keys ends the signatures: a reader who has keys is told.
func TestSignaturesThatEnd(t *testing.T) {
	p, a := newPlace(t), newKey(t, "a")
	w := p.recording(a)
	p.seal(2)
	p.sign(w)
	p.start()
	p.seal(3)
	list := p.checkpoints()
	if s := p.check(nil); !s.OK() || s.Notes != 2 || s.Unsigned != 3 {
		t.Errorf("%+v", s)
	}
	r := ring(t, a.Public().String())
	wantFinding(t, p.check(r), CodeNotSigned, list[2].Offset, "3 checkpoints behind the newest signed one are not signed")
	// A later signature covers them.
	p.reopen()
	w = p.recording(a)
	p.seal(1)
	p.sign(w)
	if s := p.check(r); !s.OK() || s.Unsigned < 3 {
		t.Errorf("covered by a later one: %+v", s)
	}
}

// A Start whose keys are none.
func TestKeysThatAreNone(t *testing.T) {
	for name, keys := range map[string][]string{"none": {"somebody"}, "twice": {"", ""}} {
		t.Run(name, func(t *testing.T) {
			p, a := newPlace(t), newKey(t, "a")
			if keys[0] == "" {
				keys = []string{a.Public().String(), a.Public().String()}
			}
			offset := p.append(&logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{CheckpointKeys: keys}}})
			p.seal(2)
			for i, at := range p.checkpoints() {
				v := p.view()
				p.put(uint64(i), sign(t, Of(v.ID(), at), a))
				v.Close()
			}
			s := p.check(nil)
			if len(s.Findings) != 3 || s.Findings[0].Code != CodeSignature || s.Findings[0].Offset != offset || s.Notes != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// The newest checkpoints of a log that records may wait for their signature, but
// not for long, and not when it was stopped.
func TestWhatIsNotSignedYet(t *testing.T) {
	var clock atomic.Int64 // milliseconds
	clock.Store(1_900_000_000_000)
	p, a := newPlaceAt(t, func() time.Time { return time.UnixMilli(clock.Load()) }), newKey(t, "a")
	w := p.recording(a)
	p.seal(1)
	if s := p.check(nil); !s.OK() || s.NotYet != 1 || s.Through != nil || s.Since.UnixMilli() != clock.Load() {
		t.Errorf("before the first signature: %+v", s)
	}
	r := ring(t, a.Public().String())
	wantFinding(t, p.check(r), CodeNotSigned, p.checkpoints()[0].Offset, "nothing in this log is signed")
	p.sign(w)
	p.seal(2)
	if s := p.check(r); !s.OK() || s.NotYet != 2 || s.Notes != 1 || s.Through.Offset != p.checkpoints()[0].Offset {
		t.Errorf("with the last two waiting: %+v", s)
	}
	first := p.checkpoints()[1]
	clock.Add(Patience.Milliseconds())
	p.append(startNaming(a))
	if s := p.check(r); !s.OK() || s.NotYet != 2 {
		t.Errorf("at the end of the patience: %+v", s)
	}
	clock.Add(1)
	p.append(startNaming(a))
	s := p.check(r)
	if len(s.Findings) != 2 || s.Findings[0].Code != CodeUnsigned || s.Findings[0].Offset != first.Offset || s.NotYet != 0 {
		t.Errorf("behind the patience: %+v", s)
	}
	p.sign(w)
	p.close() // seals a window that nobody signs
	wantFinding(t, p.check(r), CodeUnsigned, p.checkpoints()[3].Offset)
}

func startNaming(k *Key) *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_Start{Start: &logv1.Start{CheckpointKeys: []string{k.Public().String()}}}}
}

// A checkpoint that a reader kept.
func TestALogContainsAKeptCheckpoint(t *testing.T) {
	p, a := signed(t)
	other, _ := signed(t)
	walk := p.walk()
	v := p.view()
	defer v.Close()
	for id, n := range p.kept() {
		if f := walk.Contains(n, v.ID(), true); f != nil {
			t.Errorf("checkpoint %d: %v", id, f)
		}
	}
	end := walk.tip
	for name, c := range map[string]struct {
		change func(*Checkpoint)
		whole  bool
		offset uint64
		want   string
	}{
		"another root":     {func(c *Checkpoint) { c.MerkleRoot[0] ^= 1 }, true, 8, "NOT THE ONE THAT WAS SIGNED"},
		"another entry":    {func(c *Checkpoint) { c.EntryHash[0] ^= 1 }, true, 8, "NOT THE ONE THAT WAS SIGNED"},
		"another id":       {func(c *Checkpoint) { c.ID++ }, true, 8, "NOT THE ONE THAT WAS SIGNED"},
		"elsewhere":        {func(c *Checkpoint) { c.Offset++ }, true, 9, "the log has another entry"},
		"behind the end":   {func(c *Checkpoint) { c.Offset = 1000 }, true, end + 1, "its end is cut off"},
		"behind a break":   {func(c *Checkpoint) { c.Offset = 1000 }, false, end + 1, "could be checked up to"},
		"of another log":   {func(c *Checkpoint) { c.LogID = other.log.ID() }, true, 0, "this is log"},
		"of no log at all": {func(c *Checkpoint) { c.LogID = chain.Hash{} }, true, 0, "is of log 0000"},
	} {
		t.Run(name, func(t *testing.T) {
			kept := Of(v.ID(), p.checkpoints()[1])
			c.change(&kept)
			n, err := Parse(sign(t, kept, a))
			if err != nil {
				t.Fatal(err)
			}
			f := walk.Contains(n, v.ID(), c.whole)
			if f == nil || f.Code != CodeKept || f.Offset != c.offset || !strings.Contains(f.Text, c.want) {
				t.Errorf("%v, want %q at %d", f, c.want, c.offset)
			}
		})
	}
	n := p.kept()[1]
	if f := ring(t, a.Public().String()).Finding(n); f != nil {
		t.Errorf("its own key: %v", f)
	}
	if f := ring(t, a.Public().String()+" until=5").Finding(n); f == nil || f.Code != CodeRetired || f.Offset != n.Offset {
		t.Errorf("retired: %v", f)
	}
	if f := ring(t, newKey(t, "b").Public().String()).Finding(n); f == nil || f.Code != CodeKey {
		t.Errorf("a stranger: %v", f)
	}
}

package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// signedBy is who signed each checkpoint, by the names of the keys, "-" for none.
func (p *place) signedBy() string {
	p.t.Helper()
	notes := p.kept()
	var list []string
	for _, at := range p.checkpoints() {
		n, names := notes[at.Checkpoint.GetCheckpointId()], "-"
		if n != nil {
			names = ""
			v := p.view()
			if n.Checkpoint != Of(v.ID(), at) {
				p.t.Errorf("the note says %+v, the log has %+v", n.Checkpoint, at)
			}
			v.Close()
			for _, id := range n.Signers() {
				names += id.Name
			}
		}
		list = append(list, names)
	}
	return strings.Join(list, " ")
}

func (p *place) wantSigned(want string) {
	p.t.Helper()
	if got := p.signedBy(); got != want {
		p.t.Errorf("signed by %q, want %q", got, want)
	}
}

// until polls for a condition.
func (p *place) until(what string, ok func() bool) {
	p.t.Helper()
	for !ok() {
		if p.t.Context().Err() != nil {
			p.t.Fatalf("in vain: %s", what)
		}
	}
}

func (p *place) run(w *Worker) (stop func()) {
	ctx, cancel := context.WithCancel(p.t.Context())
	ended := make(chan struct{})
	go func() { // ends with stop
		w.Run(ctx)
		close(ended)
	}()
	stop = func() { cancel(); <-ended }
	p.t.Cleanup(stop)
	return stop
}

func TestEveryCheckpointIsSignedWhileRecording(t *testing.T) {
	p := newPlace(t)
	a := newKey(t, "a")
	p.seal(2) // before there was a key
	w := p.recording(a)
	stop := p.run(w)
	for i := range 3 {
		p.seal(1)
		p.until("it is signed", func() bool { return len(p.kept()) == i+1 })
	}
	stop()
	p.wantSigned("- - a a a")
	if s := w.Status(); s.Unsigned != 0 || s.Failure != nil {
		t.Errorf("status %+v", s)
	}
	// A clean stop seals a last window; it is signed before the log is closed.
	p.append(startEvent())
	if err := p.log.SealSynced(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.sign(w)
	p.close()
	p.wantSigned("- - a a a a")
}

// More checkpoints than one write takes.
func TestManyCheckpointsAreSigned(t *testing.T) {
	p := newPlace(t)
	w := p.recording(newKey(t, "a"))
	const checkpoints = 2*notesAtOnce + 1
	var last *auditlog.Pending
	for range checkpoints*(interval-1) - 1 {
		d, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		last = p.log.Append(d)
	}
	if _, err := last.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.sign(w)
	p.wantSigned(strings.TrimSpace(strings.Repeat("a ", checkpoints)))
}

// A rotation: with both keys, then with the new one alone. What a run left unsigned
// is signed by the next with those keys that were in force.
func TestKeysRotateWithAnOverlap(t *testing.T) {
	p := newPlace(t)
	a, b := newKey(t, "a"), newKey(t, "b")
	p.sign(p.recording(a))
	p.seal(1)
	p.reopen() // without a signature: a crash before it
	p.sign(p.recording(a, b))
	p.seal(1)
	p.reopen()
	w := p.recording(b)
	p.seal(1)
	p.sign(w)
	p.wantSigned("a b b")
	p.reopen()
	p.seal(1) // before its Start: still under the last one
	w = p.recording(a, b)
	p.wantSigned("a b b b")
	p.seal(1)
	p.sign(w)
	p.wantSigned("a b b b ab")
}

// Keys that no Start named sign nothing of the past, and a key that is gone can't.
func TestWhatCanNotBeSigned(t *testing.T) {
	p := newPlace(t)
	a, b := newKey(t, "a"), newKey(t, "b")
	p.start()
	p.seal(1)
	p.start(a)
	p.seal(1)
	p.start()
	p.seal(1)
	p.start(b, a)
	p.seal(1)
	var said bytes.Buffer
	w := New(Options{Log: p.log, Keys: []*Key{b}, Logger: slog.New(slog.NewTextHandler(&said, nil))})
	p.sign(w)
	p.wantSigned("- - - b")
	if n := strings.Count(said.String(), "can't be signed any more"); n != 1 || !strings.Contains(said.String(), "checkpoint=1 ") {
		t.Errorf("said: %s", said.String())
	}
	p.seal(1)
	p.sign(w) // its own Start is not recorded yet
	p.wantSigned("- - - b b")
}

// failingKeeper fails the next write, before it persists or after.
type failingKeeper struct {
	log            *auditlog.Log
	armed, persist bool
	failures       int
}

var errInjected = errors.New("injected: no space left on device")

func (k *failingKeeper) KeepSynced(ctx context.Context, records ...auditlog.Record) error {
	if !k.armed {
		return k.log.KeepSynced(ctx, records...)
	}
	k.armed = false
	k.failures++
	if k.persist {
		if err := k.log.KeepSynced(ctx, records...); err != nil {
			return err
		}
	}
	return errInjected
}

func TestWritesThatFail(t *testing.T) {
	for name, persist := range map[string]bool{"lost": false, "there all the same": true} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			a, b := newKey(t, "a"), newKey(t, "b")
			p.start(a)
			p.seal(1)
			p.start(b)
			p.seal(1)
			w := p.worker(a, b)
			w.keep = &failingKeeper{log: p.log, armed: true, persist: persist}
			if err := w.SignSynced(t.Context()); !errors.Is(err, errInjected) || w.Status().Unsigned != 2 || w.Status().Failure == nil {
				t.Fatalf("a write failed: %v, %+v", err, w.Status())
			}
			if n := len(p.kept()); n == 2 != persist {
				t.Errorf("%d notes are kept", n)
			}
			p.sign(w)
			p.wantSigned("a b")
		})
	}
}

// Run tries again by itself.
func TestAFailureIsTriedAgain(t *testing.T) {
	p := newPlace(t)
	w := p.recording(newKey(t, "a"))
	counted := &counter{}
	k := &failingKeeper{log: p.log, armed: true}
	w.keep, w.o.Observer = k, counted
	p.seal(1)
	stop := p.run(w)
	p.until("it is signed", func() bool { return len(p.kept()) == 1 && w.Status().Failure == nil })
	stop()
	if k.failures != 1 || counted.failed != 1 {
		t.Errorf("%d failures, %d counted", k.failures, counted.failed)
	}
}

type counter struct{ failed int }

func (c *counter) SigningFailed() { c.failed++ }

// Where what was signed is not what the log has, nothing more is signed.
func TestNothingIsSignedBesideAnotherHistory(t *testing.T) {
	a := newKey(t, "a")
	for name, change := range map[string]func(*Checkpoint){
		"another root":  func(c *Checkpoint) { c.MerkleRoot[0] ^= 1 },
		"another entry": func(c *Checkpoint) { c.EntryHash[0] ^= 1 },
		"another log":   func(c *Checkpoint) { c.LogID[0] ^= 1 },
		"another size":  func(c *Checkpoint) { c.Offset++ },
		"ahead":         func(c *Checkpoint) { c.ID += 100 },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			w := p.recording(a)
			p.seal(2)
			v := p.view()
			c := Of(v.ID(), p.checkpoints()[0])
			v.Close()
			change(&c)
			p.put(c.ID, sign(t, c, a))
			var conflict *ConflictError
			if err := w.SignSynced(t.Context()); !errors.As(err, &conflict) || conflict.Signed != c || !strings.Contains(err.Error(), "not what the log has") {
				t.Errorf("%v", err)
			}
			if n := len(p.kept()); n != 1 {
				t.Errorf("%d notes are kept", n)
			}
			if s := w.Status(); s.Failure == nil {
				t.Errorf("%+v", s)
			}
		})
	}
	t.Run("damaged", func(t *testing.T) {
		p := newPlace(t)
		w := p.recording(a)
		p.seal(1)
		p.put(0, []byte("nothing"))
		if err := w.SignSynced(t.Context()); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v", err)
		}
	})
}

func TestTheNoteOfACheckpoint(t *testing.T) {
	p := newPlace(t)
	w := p.recording(newKey(t, "a"))
	v := p.view()
	if _, _, err := Newest(v); !errors.Is(err, ErrNoNote) {
		t.Errorf("nothing is signed: %v", err)
	}
	v.Close()
	p.seal(3)
	p.sign(w)
	v = p.view()
	defer v.Close()
	id, newest, err := Newest(v)
	if err != nil || id != 2 {
		t.Errorf("the newest is %d, %v", id, err)
	}
	if raw, err := Kept(v, 2); err != nil || !bytes.Equal(raw, newest) {
		t.Errorf("%q, %v", raw, err)
	}
	if _, err := Kept(v, 3); !errors.Is(err, ErrNoNote) {
		t.Errorf("%v", err)
	}
}

package evidence

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/checkpoint"
	"verbatim/tests/forge"
)

func offsets(list []auditlog.Entry) (all []uint64) {
	for _, e := range list {
		all = append(all, e.Offset)
	}
	return all
}

// wantSteps wants a rung, and words in the steps of each state.
func wantSteps(t *testing.T, r *Report, rung Rung, words map[State][]string) {
	t.Helper()
	if r.Rung() != rung {
		t.Errorf("rung %s, want %s: %v", r.Rung(), rung, r.Findings())
	}
	for state, list := range words {
		for _, w := range list {
			if !slices.ContainsFunc(r.Steps, func(s Step) bool { return s.State == state && strings.Contains(s.Text, w) }) {
				t.Errorf("no step is %s and says %q: %v", state, w, r.Steps)
			}
		}
	}
}

// Every entry of a log has evidence, of the exchange that it belongs to.
func TestEveryEntryIsProved(t *testing.T) {
	p := newPlace(t, nil)
	exchanges := map[uint64][]uint64{0: {0}, 1: {1}}
	of := func(list ...uint64) {
		for _, o := range list {
			exchanges[o] = list
		}
	}
	plain := p.request("m1", false)
	trailers := p.request("", true)
	lost := p.request("m2", false)
	of(trailers, trailers+1, p.response(trailers))
	of(plain, p.response(plain))
	open := p.request("m1", false)
	p.seal()
	of(lost, p.abort(lost))
	of(open)
	of(p.gap())
	p.seal()
	if err := p.log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for offset, want := range exchanges {
		f := p.prove(offset, Options{})
		if got := offsets(f.Entries()); !slices.Equal(got, want) {
			t.Errorf("entry %d: evidence of %v, want %v", offset, got, want)
		}
		wantSteps(t, f.Check(Trusted{}), Sealed, map[State][]string{
			Missing: {"The log is not anchored"}, Stated: {"are signed by example.org/meters+"},
		})
	}
	wantSteps(t, p.prove(open, Options{}).Check(Trusted{}), Sealed, map[State][]string{Proven: {"lists it as open"}})
	id := uint64(1)
	if f := p.prove(plain, Options{Checkpoint: &id}); f.Checkpoint().Checkpoint.GetCheckpointId() != id {
		t.Errorf("proved in %v, not in checkpoint %d", f.Checkpoint(), id)
	}
}

func TestWhatCanNotBeProved(t *testing.T) {
	p := newPlace(t, nil)
	sealed := p.request("m1", false)
	p.response(sealed)
	p.seal()
	late := p.request("m2", false)
	v := p.view()
	defer v.Close()
	zero, none := uint64(0), uint64(7)
	for _, c := range []struct {
		offset uint64
		o      Options
		err    error
		words  string
	}{
		{late, Options{}, ErrNotSealed, "no checkpoint covers it yet"},
		{late + 1, Options{}, auditlog.ErrNoEntry, "the newest is"},
		{late, Options{Checkpoint: &zero}, ErrNotSealed, "checkpoint 0 stands at 10, before entry 11"},
		{sealed, Options{Checkpoint: &none}, auditlog.ErrNoEntry, "checkpoint 7"},
	} {
		if _, err := Prove(t.Context(), v, c.offset, c.o); !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("entry %d: %v, want %v with %q", c.offset, err, c.err, c.words)
		}
	}
	gone, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("gone"))
	if _, err := Prove(gone, v, sealed, Options{}); err == nil {
		t.Error("a call that was given up went on")
	}
}

// A log may be signed only since some time: who has its keys is given what they vouch for.
func TestASignedCheckpointIsPreferred(t *testing.T) {
	p := newPlace(t, nil)
	early := p.request("m1", false)
	p.response(early)
	p.seal()
	p.seal()
	late := p.request("m1", false)
	p.response(late)
	p.seal()
	if err := p.log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []byte{0, 2} {
		if err := forge.Delete(p.dir, "records", append(checkpoint.NotePrefix(), 0, 0, 0, 0, 0, 0, 0, id)); err != nil {
			t.Fatal(err)
		}
	}
	p.open()
	zero := uint64(0)
	for _, c := range []struct {
		offset, want uint64
		o            Options
	}{{early, 1, Options{}}, {late, 2, Options{}}, {early, 0, Options{Checkpoint: &zero}}} {
		if got := p.prove(c.offset, c.o).Checkpoint().Checkpoint.GetCheckpointId(); got != c.want {
			t.Errorf("entry %d is proved in checkpoint %d, want %d", c.offset, got, c.want)
		}
	}
}

// What is left of a log that was pruned is proved as before, with the genesis.
func TestAPrunedLogIsProved(t *testing.T) {
	p := newPlace(t, nil)
	early := p.request("m1", false)
	p.response(early)
	across := p.request("m1", false)
	p.seal()
	answered := p.response(across)
	whole := p.request("m2", false)
	p.response(whole)
	p.seal()
	p.seal()
	if err := p.log.Close(t.Context()); err != nil { // windows are packed now
		t.Fatal(err)
	}
	p.open()
	v := p.view()
	c := must(v.Checkpoint(0))(t)
	v.Close()
	at := p.append(&logv1.Event{Kind: &logv1.Event_Prune{Prune: &logv1.Prune{LastOffset: c.Offset, Root: c.Root[:]}}})
	if err := p.log.CutSynced(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if err := p.log.ClearCut(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.seal()
	if _, err := p.try(early, Options{}); !errors.Is(err, auditlog.ErrPruned) {
		t.Errorf("a pruned request: %v", err)
	}
	wantSteps(t, p.prove(answered, Options{}).Check(Trusted{}), Sealed, map[State][]string{Missing: {"is not in this file: it was pruned"}})
	for _, offset := range []uint64{0, 1, c.Offset, whole, at} {
		f := p.prove(offset, Options{})
		if r := f.Check(Trusted{}); r.Rung() != Sealed || offset == whole && len(f.Entries()) != 2 {
			t.Errorf("entry %d: %v, %v", offset, r.Findings(), f.Entries())
		}
	}
}

// The reader's keys decide, where there are some.
func TestWhoSigned(t *testing.T) {
	p := newPlace(t, nil)
	q := p.request("m1", false)
	p.response(q)
	p.seal()
	f := p.prove(q, Options{})
	ring := func(lines string) *checkpoint.Keyring { return must(checkpoint.ParseKeyring([]byte(lines)))(t) }
	ours := p.key.Public().String()
	other := must(checkpoint.CreateKeySynced(t.TempDir()+"/k", "example.org/other"))(t).Public().String()
	wantSteps(t, f.Check(Trusted{Ring: ring(ours)}), Sealed, map[State][]string{Proven: {"which you trust"}})
	wantSteps(t, f.Check(Trusted{Ring: ring(other)}), Nothing, map[State][]string{Wrong: {"no key of the keyring signed it"}})
	r := f.Check(Trusted{Ring: ring(ours + " until=5")})
	wantSteps(t, r, Nothing, map[State][]string{Wrong: {"which was retired at size 5"}})
	if code := r.Findings()[0].Code; code != "signature-retired" {
		t.Errorf("code %s", code)
	}
}

// Of a divergence the recorded output is proven, the other one is stated.
func TestADivergenceIsShown(t *testing.T) {
	p := newPlace(t, nil)
	q := p.request("m1", false)
	p.response(q)
	lost := p.request("m2", false)
	p.abort(lost)
	p.seal()
	d := &Divergence{
		Output: answer(t, `{"ok":false}`), Reason: "the answer differs", TargetImage: "sha256:bb", At: time.UnixMilli(1), Version: "v1",
	}
	f := p.prove(q, Options{Divergence: d})
	wantSteps(t, f.Check(Trusted{}), Sealed, map[State][]string{
		Proven: {"The recorded output, in the response at 3"},
		Stated: {"The replayed output has status 200, a body of 12 octets", `into the image "sha256:bb" by verbatim "v1". The verdict: "the answer differs"`},
	})
	recorded, replayed := f.Outputs()
	if string(recorded.GetBody()) != `{"ok":2}` || string(replayed.GetBody()) != `{"ok":false}` || !f.Divergent() {
		t.Errorf("outputs %v, %v", recorded, replayed)
	}
	none := *d
	none.Output = nil
	wantSteps(t, p.prove(q, Options{Divergence: &none}).Check(Trusted{}), Sealed, map[State][]string{Stated: {"The replay got no answer"}})
	same := *d
	same.Output = answer(t, `{"ok":2}`)
	if _, err := p.try(q, Options{Divergence: &same}); err == nil || !strings.Contains(err.Error(), "nothing differs") {
		t.Errorf("equal outputs: %v", err)
	}
	if _, err := p.try(lost, Options{Divergence: d}); err == nil || !strings.Contains(err.Error(), "holds no response") {
		t.Errorf("no recorded output: %v", err)
	}
}

package main

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/checkpoint"
	"verbatim/sidecar/verify"
	"verbatim/tests/forge"
)

// signedLog is a log of windows of 4 whose checkpoints, at 4, 8, 12, …, are all signed
// within a second.
func signedLog(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: 4}); err != nil {
		t.Fatal(err)
	}
	key, err := checkpoint.CreateKeySynced(filepath.Join(t.TempDir(), "key"), "log.example/k")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Second)
	log, err := auditlog.Open(dir, auditlog.Options{Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	events := []*logv1.Event{{Kind: &logv1.Event_Start{Start: &logv1.Start{BootId: "b", CheckpointKeys: []string{key.Public().String()}}}}}
	for range 16 {
		events = append(events, &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{}}})
	}
	for _, ev := range events {
		d, err := auditlog.NewDraft(ev)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(d).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	v, err := log.View()
	if err != nil {
		t.Fatal(err)
	}
	list, err := v.Checkpoints(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		note, err := checkpoint.Sign(checkpoint.Of(v.ID(), c), key)
		if err != nil {
			t.Fatal(err)
		}
		if err := log.KeepSynced(t.Context(), auditlog.Record{Key: noteOf(c.Checkpoint.GetCheckpointId()), Value: note}); err != nil {
			t.Fatal(err)
		}
	}
	v.Close()
	if err := log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What the clean stop sealed stands behind; a log that goes on ends elsewhere.
	cutAt(t, dir, 22)
	return dir
}

func noteOf(id uint64) []byte {
	return binary.BigEndian.AppendUint64(checkpoint.NotePrefix(), id)
}

func cutAt(t *testing.T, dir string, last uint64) {
	t.Helper()
	if err := forge.Cut(dir, last); err != nil {
		t.Fatal(err)
	}
}

// without is a copy of a log without some notes.
func without(t *testing.T, dir string, ids ...uint64) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "log")
	if err := forge.Copy(dir, to); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if err := forge.Delete(to, "records", noteOf(id)); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func verifyWith(t *testing.T, state, dir string, flags ...string) (code int, said string) {
	t.Helper()
	var out bytes.Buffer
	code = execute(t.Context(), append([]string{"verify", "--state", state, "--log", dir}, flags...), &out, &out)
	return code, out.String()
}

func wantVerdict(t *testing.T, what string, code int, said string, want int, words string) {
	t.Helper()
	if code != want || !strings.Contains(said, words) {
		t.Errorf("%s: exit code %d, want %d and %q: %s", what, code, want, words, said)
	}
}

// A checkpoint that waits for its signature is looked at again: it may never come.
func TestWhatWasNotSignedYetIsComparedAgain(t *testing.T) {
	honest, state := signedLog(t), filepath.Join(t.TempDir(), "state.json")
	early := without(t, honest, 1, 2, 3, 4)
	cutAt(t, early, 13)
	code, said := verifyWith(t, state, early)
	wantVerdict(t, "before they are signed", code, said, 0, "not signed yet   2 checkpoints")
	const never = 1
	code, said = verifyWith(t, state, without(t, honest, never))
	wantVerdict(t, "one was never signed", code, said, 1, "FINDING at offset 8: unsigned: checkpoint 1 has no signature")
	code, said = verifyWith(t, state, without(t, honest, never))
	wantVerdict(t, "again", code, said, 1, "FINDING at offset 8: unsigned: checkpoint 1 has no signature")
	code, said = verifyWith(t, state, honest)
	wantVerdict(t, "all were signed", code, said, 0, "signed           offsets 0 to 20")
	code, said = verifyWith(t, state, honest)
	wantVerdict(t, "nothing new", code, said, 0, "entries checked  3 (offsets 20 to 22)")
	wantVerdict(t, "nothing new", code, said, 0, "CHAINED, SEALED through 19, signed through 20")
}

// Where nothing was sealed since, what is said is of the checkpoint that was reached before.
func TestNothingNewIsAsSealedAsBefore(t *testing.T) {
	honest, state := signedLog(t), filepath.Join(t.TempDir(), "state.json")
	for _, what := range []string{"first", "nothing new"} {
		code, said := verifyWith(t, state, honest, "--json")
		wantVerdict(t, what, code, said, 0, `"rung":"SEALED","sealed_through":19`)
	}
	early := without(t, honest, 1, 2, 3, 4)
	cutAt(t, early, 13)
	state = filepath.Join(t.TempDir(), "early.json")
	code, said := verifyWith(t, state, early)
	wantVerdict(t, "not signed yet", code, said, 0, "not signed yet   2 checkpoints")
	code, said = verifyWith(t, state, early, "--max-age", "1ns")
	wantVerdict(t, "stale", code, said, 1, "FINDING at offset 8: stale: 2 checkpoints are not signed")
}

// What is kept while a verification runs vouches for links alone: the next one finds
// whatever this one would have found at its end.
func TestAnInterruptedVerificationHidesNothing(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.json")
	dir := without(t, signedLog(t), 1)
	v, _, done, err := (&logFlags{log: dir}).open(t.Context(), &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	c := &earlierCheck{file: state, view: v}
	_, err = verify.Verify(t.Context(), v, verify.Options{Reached: func(p verify.Point) {
		c.kept0 = time.Time{} // long ago
		c.reached(p)
	}})
	done()
	if err != nil || c.failed != nil || c.newest.Offset != 20 {
		t.Fatal(err, c.failed, c.newest)
	}
	code, said := verifyWith(t, state, dir)
	wantVerdict(t, "after an interruption", code, said, 1, "FINDING at offset 8: unsigned: checkpoint 1 has no signature")
	if !strings.Contains(said, "offsets 20 to 22") {
		t.Errorf("it did not go on: %s", said)
	}
}

// What is compared again without its links is what the earlier verification saw.
func TestWhatWasCheckedBeforeIsTheSame(t *testing.T) {
	honest, state := signedLog(t), filepath.Join(t.TempDir(), "state.json")
	early := without(t, honest, 1, 2, 3, 4)
	cutAt(t, early, 13)
	code, said := verifyWith(t, state, early)
	wantVerdict(t, "before they are signed", code, said, 0, "")
	changed := without(t, honest)
	if err := forge.FlipBit(changed, 8, forge.PrevEntryHashAt); err != nil {
		t.Fatal(err)
	}
	code, said = verifyWith(t, state, changed)
	wantVerdict(t, "changed since", code, said, 1, "FINDING at offset 8: trusted-root: this is not the entry that an earlier verification saw")
}

// Where an earlier verification ended nothing can be read any more: that is found, and what
// is wrong there, as without a state.
func TestAnEndThatCanNotBeReadIsAFinding(t *testing.T) {
	honest, state := signedLog(t), filepath.Join(t.TempDir(), "state.json")
	code, said := verifyWith(t, state, honest)
	wantVerdict(t, "before", code, said, 0, "SEALED through 19")
	for what, damage := range map[string]func(dir string) error{
		"missing":    func(dir string) error { return forge.Remove(dir, 20) },
		"event-hash": func(dir string) error { return forge.FlipBit(dir, 20, forge.RawAt+10) },
	} {
		dir := without(t, honest)
		if err := damage(dir); err != nil {
			t.Fatal(err)
		}
		code, said = verifyWith(t, state, dir)
		wantVerdict(t, what, code, said, 1, "FINDING at offset 20: unreadable: an earlier verification reached the checkpoint here")
		wantVerdict(t, what, code, said, 1, "FINDING at offset 20: "+what)
		wantVerdict(t, what, code, said, 1, "entries checked  20 (offsets 0 to 19), as far as the chain holds")
	}
	code, said = verifyWith(t, state, honest)
	wantVerdict(t, "the state is left", code, said, 0, "checked before   offsets 0 to 19")
}

// A state that can't be kept takes nothing from the verdict.
func TestAStateThatCanNotBeKeptLeavesTheVerdict(t *testing.T) {
	honest, state := signedLog(t), filepath.Join(t.TempDir(), "none", "state.json")
	code, said := verifyWith(t, state, honest)
	wantVerdict(t, "honest", code, said, 2, "CHAINED, SEALED through 19, signed through 20")
	wantVerdict(t, "honest", code, said, 2, "verbatim: --state: write state: ")
	code, said = verifyWith(t, state, without(t, honest, 1))
	wantVerdict(t, "a finding", code, said, 1, "NOT VERIFIED: 1 findings")
}

// The next verification begins with what is vouched for, so that it has something to
// compare where nothing was published since.
func TestWhereTheNextVerificationCompares(t *testing.T) {
	through := &anchor.Standing{Through: &auditlog.CheckpointAt{Offset: 8}}
	for name, c := range map[string]struct {
		verdict verdict
		want    uint64
	}{
		"nothing published": {verdict{standing: &standing{Standing: &anchor.Standing{}}}, 0},
		"published":         {verdict{standing: &standing{Standing: through}}, 8},
		"published, and signed through less": {verdict{
			standing: &standing{Standing: through}, signed: &signatures{Standing: &checkpoint.Standing{NotYet: 1, NotYetFrom: 4}},
		}, 4},
		"all signed": {verdict{signed: &signatures{Standing: &checkpoint.Standing{}}}, 1<<64 - 1},
	} {
		if got := c.verdict.vouched(); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestAClockThatIsAheadIsStale(t *testing.T) {
	dir, state := signedLog(t), filepath.Join(t.TempDir(), "state.json")
	code, said := verifyWith(t, state, dir, "--max-age", "-1h")
	wantVerdict(t, "no age", code, said, 2, "--max-age -1h0m0s: nothing is that young")
	v, _, done, err := (&logFlags{log: dir}).open(t.Context(), &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	for ago, want := range map[time.Duration]int{0: 0, -30 * time.Minute: 0, -2 * time.Hour: 1, 2 * time.Hour: 1} {
		r := &verify.Report{}
		stale(verdict{report: r}, v, time.Hour, time.Now().Add(ago))
		if len(r.Findings) != want {
			t.Errorf("%s later: %v", ago, r.Findings)
		}
	}
}

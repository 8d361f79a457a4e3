package checkpoint

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const interval = 4

// place is a log that is being recorded.
type place struct {
	t      *testing.T
	now    func() time.Time
	dir    string
	log    *auditlog.Log
	sealed chan struct{}
}

func newPlace(t *testing.T) *place {
	t.Helper()
	return newPlaceAt(t, nil)
}

// newPlaceAt is one with a clock of its own.
func newPlaceAt(t *testing.T, now func() time.Time) *place {
	t.Helper()
	p := &place{t: t, now: now, dir: filepath.Join(t.TempDir(), "log"), sealed: make(chan struct{}, 1)}
	if _, err := auditlog.Create(p.dir, auditlog.Origin{Interval: interval}); err != nil {
		t.Fatal(err)
	}
	p.open()
	return p
}

func (p *place) open() {
	p.t.Helper()
	log, err := auditlog.Open(p.dir, auditlog.Options{Now: p.now})
	if err != nil {
		p.t.Fatal(err)
	}
	p.log = log
	p.t.Cleanup(func() { _ = log.Close(context.WithoutCancel(p.t.Context())) })
}

// close is a clean stop.
func (p *place) close() {
	p.t.Helper()
	if err := p.log.Close(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) reopen() {
	p.t.Helper()
	p.close()
	p.open()
}

func newKey(t *testing.T, name string) *Key {
	t.Helper()
	k, err := CreateKeySynced(filepath.Join(t.TempDir(), "key"), name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (p *place) append(ev *logv1.Event) uint64 {
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

// start records a Start that names keys.
func (p *place) start(keys ...*Key) uint64 {
	p.t.Helper()
	s := &logv1.Start{BootId: "b"}
	for _, k := range keys {
		s.CheckpointKeys = append(s.CheckpointKeys, k.Public().String())
	}
	return p.append(&logv1.Event{Kind: &logv1.Event_Start{Start: s}})
}

// worker signs with keys; the process has not begun to record yet.
func (p *place) worker(keys ...*Key) *Worker {
	return New(Options{Log: p.log, Keys: keys, Sealed: p.sealed})
}

// recording is a worker of a process that has recorded its Start.
func (p *place) recording(keys ...*Key) *Worker {
	p.t.Helper()
	w := p.worker(keys...)
	p.sign(w)
	w.Started(p.start(keys...))
	return w
}

func (p *place) sign(w *Worker) {
	p.t.Helper()
	if err := w.SignSynced(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// seal appends entries until there are n checkpoints more.
func (p *place) seal(n int) {
	p.t.Helper()
	v := p.view()
	first, next := uint64(0), v.Tip().Offset+1
	v.Close()
	if list := p.checkpoints(); len(list) > 0 {
		first = list[len(list)-1].Offset
	}
	for range int(first+interval-next) + (n-1)*(interval-1) {
		p.append(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}})
	}
	select {
	case p.sealed <- struct{}{}:
	default:
	}
}

// view is of the log, or of the closed one.
func (p *place) view() *auditlog.View {
	p.t.Helper()
	v, err := p.log.View()
	if err != nil {
		if v, err = auditlog.OpenReadOnly(p.dir); err != nil {
			p.t.Fatal(err)
		}
	}
	return v
}

func (p *place) checkpoints() []auditlog.CheckpointAt {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	list, err := v.Checkpoints(p.t.Context(), 0)
	if err != nil {
		p.t.Fatal(err)
	}
	return list
}

// kept are the notes that the log keeps, by checkpoint.
func (p *place) kept() map[uint64]*Note {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	notes := map[uint64]*Note{}
	for r, err := range v.Records(p.t.Context(), prefixNotes, nil) {
		if err != nil {
			p.t.Fatal(err)
		}
		id, ok := idOf(r.Key)
		n, err := Parse(r.Value)
		if err != nil || !ok || n.ID != id {
			p.t.Fatalf("note under %q: %v", r.Key, err)
		}
		notes[id] = n
	}
	return notes
}

// put keeps a note, or removes it.
func (p *place) put(id uint64, raw []byte) {
	p.t.Helper()
	if err := p.log.KeepSynced(p.t.Context(), auditlog.Record{Key: noteKey(id), Value: raw}); err != nil {
		p.t.Fatal(err)
	}
}

// walk verifies the log and collects its checkpoints.
func (p *place) walk() *Walk {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	w := &Walk{}
	r, err := verify.Verify(p.t.Context(), v, verify.Options{Each: w.Each})
	if err != nil || !r.OK() {
		p.t.Fatal(err, r)
	}
	return w
}

// check compares the log with its notes.
func (p *place) check(ring *Keyring) *Standing {
	p.t.Helper()
	v := p.view()
	defer v.Close()
	s, err := Check(p.t.Context(), v, p.walk(), Trusted{Ring: ring, Whole: true})
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// ring is a keyring of lines.
func ring(t *testing.T, lines string) *Keyring {
	t.Helper()
	r, err := ParseKeyring([]byte(lines))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

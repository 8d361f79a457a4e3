package retention

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const day = 24 * time.Hour

// fakeClock stands until a test moves it.
type fakeClock struct {
	mu   sync.Mutex
	wall time.Time
	mono time.Duration
}

func newFakeClock() *fakeClock {
	return &fakeClock{wall: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), mono: time.Hour}
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall
}

func (c *fakeClock) Monotonic() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mono
}

// move moves both clocks; they need not agree.
func (c *fakeClock) move(wall, mono time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.mono = c.wall.Add(wall), c.mono+mono
}

// site is a log and its worker under a clock that the test moves.
type site struct {
	t      *testing.T
	clock  *fakeClock
	dir    string
	log    *auditlog.Log
	worker *Worker
	o      Options
	// Requests are of meters m0, m1, ... in turn.
	meters, asked int
}

// interval is the number of entries in a window of a site's log.
const interval = 10

func newSite(t *testing.T, origin auditlog.Origin, o Options) *site {
	t.Helper()
	s := &site{t: t, clock: newFakeClock(), dir: filepath.Join(t.TempDir(), "log"), o: o, meters: 1}
	if origin.Interval == 0 {
		origin.Interval = interval
	}
	if _, err := auditlog.Create(s.dir, origin); err != nil {
		t.Fatal(err)
	}
	s.begin()
	return s
}

// copySite is a site with a copy of a closed log.
func copySite(t *testing.T, dir string, o Options) *site {
	t.Helper()
	s := &site{t: t, clock: newFakeClock(), dir: filepath.Join(t.TempDir(), "log"), o: o, meters: 1}
	if err := os.CopyFS(s.dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s.begin()
	return s
}

// begin opens the log until the test ends.
func (s *site) begin() {
	t := s.t
	t.Helper()
	s.open()
	t.Cleanup(func() {
		if err := s.log.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// open opens the log with a worker that has done nothing yet.
func (s *site) open() {
	s.t.Helper()
	var err error
	if s.log, err = auditlog.Open(s.dir, auditlog.Options{Now: s.clock.Now}); err != nil {
		s.t.Fatal(err)
	}
	s.renew()
}

// renew makes a new worker, as if a process had stopped where it stood.
func (s *site) renew() {
	o := s.o
	o.Log, o.Clock = s.log, s.clock
	s.worker = New(o)
}

// restart closes the log and opens it again.
func (s *site) restart() {
	s.t.Helper()
	if err := s.log.Close(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.open()
}

func (s *site) append(ev *logv1.Event) *auditlog.Pending {
	s.t.Helper()
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.log.Append(d)
}

func (s *site) wait(p *auditlog.Pending) uint64 {
	s.t.Helper()
	placed, err := p.Wait(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return placed.Offset
}

func (s *site) request() *auditlog.Pending {
	s.asked++
	meter := fmt.Sprint("m", (s.asked-1)%s.meters)
	return s.append(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: []string{meter}, Body: fmt.Append(nil, "body ", s.asked)}}})
}

func (s *site) response(request uint64) *auditlog.Pending {
	return s.append(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: request, Output: []byte("out")}}})
}

// record appends requests, and then their responses.
func (s *site) record(exchanges int) {
	s.t.Helper()
	var pending []*auditlog.Pending
	for range exchanges {
		pending = append(pending, s.request())
	}
	for i, p := range pending {
		pending[i] = s.response(s.wait(p))
	}
	for _, p := range pending {
		s.wait(p)
	}
}

// seal appends a window full, and returns the offset of the newest checkpoint.
func (s *site) seal() uint64 {
	s.t.Helper()
	s.record(interval / 2)
	list := s.checkpoints()
	return list[len(list)-1].Offset
}

func (s *site) view() *auditlog.View {
	s.t.Helper()
	v, err := s.log.View()
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// checkpoints are all behind and at the cut.
func (s *site) checkpoints() []auditlog.CheckpointAt {
	s.t.Helper()
	v := s.view()
	defer v.Close()
	list, err := v.Checkpoints(s.t.Context(), 0)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

func (s *site) first() uint64 {
	s.t.Helper()
	v := s.view()
	defer v.Close()
	return v.First()
}

// pass lets time pass, with the worker looking at it every hour as it runs.
func (s *site) pass(d time.Duration) {
	s.t.Helper()
	for d > 0 {
		some := min(d, time.Hour)
		s.clock.move(some, some)
		s.step()
		d -= some
	}
}

// step is one step of the worker, which must not fail.
func (s *site) step() {
	s.t.Helper()
	if _, err := s.worker.step(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// prunes are all Prune entries that are there, by offset.
func (s *site) prunes() map[uint64]*logv1.Prune {
	s.t.Helper()
	v := s.view()
	defer v.Close()
	found := map[uint64]*logv1.Prune{}
	for e, err := range v.Entries(s.t.Context(), v.First(), v.Tip().Offset) {
		if err != nil {
			s.t.Fatal(err)
		}
		ev, err := e.Event()
		if err != nil {
			s.t.Fatal(err)
		}
		if p := ev.GetPrune(); p != nil {
			found[e.Offset] = p
		}
	}
	return found
}

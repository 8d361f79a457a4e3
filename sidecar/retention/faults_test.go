package retention

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

var errInjected = errors.New("injected: no space left on device")

// faultyLog fails the write after some, before it persists or after.
type faultyLog struct {
	wholeLog
	left    int // writes until the one that fails; negative: none does
	persist bool
	writes  []string
}

// write counts a write and does it, unless it is the one that fails.
func (l *faultyLog) write(name string, do func() error) error {
	l.writes = append(l.writes, name)
	l.left--
	if l.left != -1 {
		return do()
	}
	if l.persist {
		if err := do(); err != nil {
			return err
		}
	}
	return errInjected
}

func (l *faultyLog) AppendSynced(ctx context.Context, d auditlog.Draft) (placed auditlog.Placed, err error) {
	err = l.write("append", func() (err error) {
		placed, err = l.wholeLog.AppendSynced(ctx, d)
		return err
	})
	return placed, err
}

func (l *faultyLog) KeepSynced(ctx context.Context, records ...auditlog.Record) error {
	return l.write("keep", func() error { return l.wholeLog.KeepSynced(ctx, records...) })
}

func (l *faultyLog) CutSynced(ctx context.Context, offset uint64) error {
	return l.write("cut", func() error { return l.wholeLog.CutSynced(ctx, offset) })
}

func (l *faultyLog) ClearCut(ctx context.Context) error {
	return l.write("clear", func() error { return l.wholeLog.ClearCut(ctx) })
}

// faulty gives the site's worker a log that fails the nth write from now on.
func (s *site) faulty(n int, persist bool) *faultyLog {
	l := &faultyLog{wholeLog: wholeLog{s.log}, left: n, persist: persist}
	s.worker.log = l
	if s.worker.time != nil {
		s.worker.time.log = l
	}
	return l
}

// ripeLog is a closed log of which some may be pruned as soon as another hour is
// counted.
func ripeLog(t *testing.T) (dir string) {
	s := newSite(t, auditlog.Origin{}, hourly(2*time.Hour))
	s.step()
	s.record(30)
	s.pass(2 * time.Hour)
	if s.first() != 0 || len(s.prunes()) != 0 {
		t.Fatal("too early")
	}
	s.restart()
	if err := s.log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.dir
}

// ripe is a site of which some may be pruned at once.
func ripe(t *testing.T, dir string) *site {
	s := copySite(t, dir, hourly(2*time.Hour))
	s.step() // counts from here on
	s.clock.move(time.Hour, time.Hour)
	return s
}

// prune lets the worker work until the log was pruned once, with traffic that seals
// what it writes; err is that of the first step that failed.
func (s *site) prune() error {
	s.t.Helper()
	for range 10 {
		if _, err := s.worker.step(s.t.Context()); err != nil {
			return err
		}
		if s.first() > 0 && s.worker.Status().UnderWay == nil {
			return nil
		}
		s.seal()
		s.clock.move(time.Hour, time.Hour)
	}
	return nil
}

// Each write of a pruning fails once, before it persists or after; the same process
// goes on, or another one that begins with what is on disk.
func TestEachWriteOfAPruningFailsOnce(t *testing.T) {
	t.Parallel()
	dir := ripeLog(t)
	s := ripe(t, dir)
	log := s.faulty(-1, false)
	if err := s.prune(); err != nil {
		t.Fatal(err)
	}
	all := log.writes
	if s.first() == 0 || len(all) < 6 {
		t.Fatalf("writes %v, pruned up to %d", all, s.first())
	}
	for n, name := range all {
		for _, persist := range []bool{false, true} {
			for _, goesOn := range []string{"the same process", "another process", "the log opened again"} {
				t.Run(fmt.Sprintf("%d %s, persists %v, %s", n, name, persist, goesOn), func(t *testing.T) {
					t.Parallel()
					onceFails(t, dir, n, persist, goesOn)
				})
			}
		}
	}
}

func onceFails(t *testing.T, dir string, n int, persist bool, goesOn string) {
	s := ripe(t, dir)
	s.faulty(n, persist)
	var err error
	for range 20 {
		if _, err = s.worker.step(t.Context()); err != nil {
			break
		}
		s.clock.move(time.Hour, time.Hour)
		s.seal()
	}
	if !errors.Is(err, errInjected) {
		t.Fatalf("%v; the write did not come", err)
	}
	switch goesOn {
	case "another process":
		s.renew()
	case "the log opened again":
		s.restart()
	default:
		s.faulty(-1, false)
	}
	if err := s.prune(); err != nil {
		t.Fatal(err)
	}
	s.wantPruned()
}

// wantPruned: the log was pruned by an entry that says so, all of it is gone, nothing
// is under way, and what is left is whole.
func (s *site) wantPruned() {
	s.t.Helper()
	v := s.view()
	defer v.Close()
	cut, ok := v.Cut()
	if !ok {
		s.t.Fatalf("nothing was pruned: %+v", s.worker.Status())
	}
	if cleared, err := v.Cleared(); err != nil || !cleared {
		s.t.Errorf("cleared %v, %v", cleared, err)
	}
	if c, err := readCutting(v); err != nil || c != nil {
		s.t.Errorf("under way: %v, %v", c, err)
	}
	found, findings, err := verify.CheckPruned(s.t.Context(), v)
	if err != nil || len(findings) > 0 || !found.Complete || found.NotCarriedOut > 0 {
		s.t.Errorf("cut %+v: %+v, %v, %v", cut, found, findings, err)
	}
}

func TestAHoldIsThereOnceItIsConfirmed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ persist, there bool }{
		"the write fails":                  {false, false},
		"the write fails, but it persists": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, auditlog.Origin{}, hourly(day))
			s.faulty(0, c.persist)
			h, _, err := s.worker.AddHoldSynced(t.Context(), holdAll("a case"))
			if !errors.Is(err, errInjected) || h != nil {
				t.Fatalf("%v, %v", h, err)
			}
			list := s.holds()
			if (len(list) == 1) != c.there {
				t.Fatalf("holds %v", list)
			}
			added, _, err := s.worker.AddHoldSynced(t.Context(), holdAll("again"))
			if err != nil || len(s.holds()) != len(list)+1 {
				t.Fatal(err)
			}
			// The same of its removal: until that is confirmed it may be there.
			s.faulty(0, c.persist)
			if _, err := s.worker.RemoveHoldSynced(t.Context(), added.GetId()); !errors.Is(err, errInjected) {
				t.Fatal(err)
			}
			if (len(s.holds()) == len(list)) != c.there {
				t.Errorf("holds %v", s.holds())
			}
		})
	}
}

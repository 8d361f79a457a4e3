package retention

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// hourly is retention that looks once an hour.
func hourly(keep time.Duration) Options { return Options{Keep: keep, Every: time.Hour} }

func TestWhatIsOldGoes(t *testing.T) {
	t.Parallel()
	s := newSite(t, auditlog.Origin{}, hourly(3*day))
	s.step()
	for d := range 5 {
		s.record(20)
		s.pass(day)
		if d < 3 && s.first() != 0 {
			t.Fatalf("day %d: pruned up to %d", d, s.first())
		}
	}
	s.record(10)
	s.step()
	if first := s.first(); first < 40 || first > 90 {
		t.Errorf("pruned up to %d: %+v", first, s.worker.Status())
	}
	checkRest(t, s)
	s.restart()
	checkRest(t, s)
}

// A clock that is set ten years ahead deletes nothing: not while a process runs, not
// from one to the next, and not when it is set back again.
func TestAClockThatJumpsForwardDeletesNothing(t *testing.T) {
	t.Parallel()
	const tenYears = 3650 * day
	s := newSite(t, auditlog.Origin{}, hourly(3*day))
	s.step()
	for range 10 {
		s.record(20)
		s.clock.move(tenYears/10, time.Hour)
		s.step()
		s.clock.move(tenYears/10, 0) // while it is stopped
		s.restart()
		s.record(20)
		s.step()
	}
	s.clock.move(-3*tenYears, time.Hour)
	s.step()
	if s.first() != 0 || len(s.prunes()) != 0 {
		t.Fatalf("ten hours of running, and pruned up to %d", s.first())
	}
	// From here on time goes by as ever.
	s.pass(3*day + time.Hour)
	s.record(10)
	s.step()
	if s.first() == 0 {
		t.Errorf("three days have passed, and nothing is pruned: %+v", s.worker.Status())
	}
}

func TestNothingIsPrunedTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t, auditlog.Origin{}, hourly(day))
	s.step()
	s.record(30)
	s.pass(time.Hour)
	// From here on nothing is recorded but what retention itself writes.
	for range 5 {
		s.pass(day)
		s.restart() // its footer seals the prune entry
		s.step()
	}
	if s.first() == 0 {
		t.Fatal("nothing is pruned")
	}
	v := s.view()
	defer v.Close()
	if tip, first := v.Tip().Offset, v.First(); tip > first+10 {
		t.Errorf("a log that is idle grew from %d to %d by pruning", first, tip)
	}
	if found, findings, err := verify.CheckPruned(t.Context(), v); err != nil || len(findings) > 0 || found.Orders > 2 {
		t.Errorf("%+v, %v, %v", found, findings, err)
	}
	if p, err := s.worker.Foresee(t.Context()); err != nil || p.Through != nil {
		t.Errorf("nothing is pruned, but foreseen is %+v, %v", p, err)
	}
}

func TestForEverIsForEver(t *testing.T) {
	t.Parallel()
	s := newSite(t, auditlog.Origin{}, hourly(0))
	s.record(50)
	s.pass(4 * day)
	if done, err := s.worker.Once(t.Context()); err != nil || done.Prune != 0 || done.Plan.Held[0].By != ByForever {
		t.Errorf("%+v, %v", done, err)
	}
	if s.first() != 0 || len(s.prunes()) != 0 {
		t.Error("something is pruned")
	}
}

// An anchored log is cut when a receipt covers the prune entry, and not before,
// however long it is sealed.
func TestAnAnchoredLogWaitsForItsReceipt(t *testing.T) {
	t.Parallel()
	s := five(t, auditlog.Origin{Anchor: place})
	s.step()
	s.receipt(2, 0, nil)
	s.receipt(4, 25, nil) // a day later, by the ledger
	s.pass(3 * time.Hour)
	s.seal()
	s.step()
	status := s.worker.Status()
	if len(s.prunes()) != 1 || s.first() != 0 || status.WaitsFor != "its anchor" || status.UnderWay.GetLastOffset() != 30 {
		t.Fatalf("%+v", status)
	}
	s.restart()
	s.step()
	if s.first() != 0 {
		t.Fatalf("pruned up to %d without a receipt", s.first())
	}
	list := s.checkpoints()
	s.receipt(list[len(list)-1].Checkpoint.GetCheckpointId(), 26, nil)
	s.seal()
	s.step()
	if s.first() != 30 {
		t.Fatalf("pruned up to %d: %+v", s.first(), s.worker.Status())
	}
	s.wantPruned()
}

// A process that only prunes, and one that waits for nobody.
func TestOnceAndBegin(t *testing.T) {
	t.Parallel()
	s := five(t, auditlog.Origin{Anchor: place})
	done, err := s.worker.Begin(t.Context())
	if err != nil || done.Prune != 0 || done.Plan.Held[0].By != ByAnchor {
		t.Fatalf("%+v, %v", done, err)
	}
	s.receipt(2, 0, nil)
	s.receipt(4, 25, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.worker.Once(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	s.clock.move(time.Hour, time.Hour)
	s.step()
	s.seal()
	if done, err = s.worker.Begin(t.Context()); err != nil || done.Waits != "its anchor" || done.Prune == 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	list := s.checkpoints()
	s.receipt(list[len(list)-1].Checkpoint.GetCheckpointId(), 26, nil)
	s.seal()
	done, err = s.worker.Once(t.Context())
	if err != nil || done.First != 30 || done.Entries != 30 || done.Before == 0 || done.Waits != "" {
		t.Fatalf("%+v, %v", done, err)
	}
	s.wantPruned()
}

// Run does what step does until it is told to stop, and answers who asks.
func TestRunPrunesForWhoAsks(t *testing.T) {
	t.Parallel()
	s := ripe(t, ripeLog(t))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { // ends with cancel, below
		s.worker.Run(ctx)
		close(ended)
	}()
	stop, sealing := context.WithCancel(t.Context())
	var capture sync.WaitGroup
	capture.Go(func() {
		for stop.Err() == nil {
			s.record(1)
		}
	})
	done, err := s.worker.PruneNow(t.Context())
	sealing()
	capture.Wait()
	if err != nil || done.First == 0 {
		t.Errorf("%+v, %v", done, err)
	}
	cancel()
	<-ended
	if _, err := s.worker.PruneNow(t.Context()); !errors.Is(err, ErrStopped) {
		t.Errorf("after the end: %v", err)
	}
	checkRest(t, s)
}

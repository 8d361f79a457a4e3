package anchor

import (
	"context"
	"errors"
	"testing"
	"time"

	"verbatim/contracts"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

func TestEveryCheckpointIsConfirmedOrCovered(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	w := New(p.options())
	p.run(w)
	for range 3 {
		p.seal(3)
		p.settled()
	}
	p.wantWhole()
	for _, r := range p.receipts() {
		if len(r.GetTransactionHash()) == 0 || len(r.GetEnvelope()) == 0 || len(r.GetResult()) == 0 || r.GetFeeCharged() == 0 ||
			r.GetLedger() == 0 || r.GetClosedAt() == 0 || r.GetContract() != p.contract.ID() || r.GetNetwork() != soroban.Passphrase {
			t.Errorf("receipt %v lacks something", r)
		}
	}
	if s := w.Status(); s.Pending != 0 || s.Anchored == nil || s.Alarm != "" || s.Failure != nil || s.Checkpoints != uint64(p.checkpoints()) {
		t.Errorf("status %+v", s)
	}
}

func TestTheScheduleIsKept(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	o := p.options()
	o.Schedule = Schedule{Every: 3, MinInterval: time.Hour}
	w := New(o)
	stop := p.run(w)
	p.seal(2)
	p.until("the worker has looked", func() bool { return w.Status().Pending == 2 })
	if n := len(p.receipts()); n != 0 {
		t.Errorf("%d receipts after two of three checkpoints", n)
	}
	p.seal(1)
	p.settled()
	// Within the hour only who asks gets another.
	p.seal(5)
	p.until("the worker has looked again", func() bool { return w.Status().Pending == 5 })
	if n := len(p.receipts()); n != 1 {
		t.Errorf("%d receipts within the least interval", n)
	}
	r, err := w.AnchorNow(t.Context())
	if err != nil || r.GetCheckpointId() != 7 || r.GetFirstCoveredId() != 3 {
		t.Errorf("anchored now: %v, %v", r, err)
	}
	if again, err := w.AnchorNow(t.Context()); err != nil || again.GetCheckpointId() != 7 {
		t.Errorf("nothing is pending: %v, %v", again, err)
	}
	p.wantWhole()
	stop()
	if _, err := w.AnchorNow(t.Context()); !errors.Is(err, ErrStopped) {
		t.Errorf("after the end: %v", err)
	}
}

func TestWhoAsksCanGiveUp(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	w := New(p.options())
	p.proxy.Misbehave(soroban.AnyMethod, soroban.Hold, -1)
	p.run(w)
	p.seal(1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.AnchorNow(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	p.proxy.Behave()
	p.settled()
	p.wantWhole()
}

// A stop at each step of a submission, and another worker on the log that was opened
// again.
func TestAStopAtEachStep(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	for _, step := range []struct {
		name, method string
		fault        soroban.Fault
		after        int // calls that pass before
	}{
		{"before it is prepared", "simulateTransaction", soroban.Hold, 0},
		{"kept, not sent", "sendTransaction", soroban.Hold, 0},
		{"sent, no answer", "sendTransaction", soroban.HoldAfter, 0},
		{"sent, its outcome not told", "getTransaction", soroban.HoldAfter, 1},
	} {
		t.Run(step.name, func(t *testing.T) {
			p := l.place(t)
			stop := p.run(New(p.options()))
			calls := p.proxy.Calls(step.method)
			if step.after == 0 {
				p.proxy.Misbehave(step.method, step.fault, -1)
			}
			p.seal(2)
			if step.after > 0 {
				if err := p.proxy.Await(t.Context(), "sendTransaction", 1); err != nil {
					t.Fatal(err)
				}
				p.proxy.Misbehave(step.method, step.fault, -1)
			}
			if err := p.proxy.Await(t.Context(), step.method, calls+1+step.after); err != nil {
				t.Fatal(err)
			}
			stop()
			if err := p.log.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.proxy.Behave()
			p.open()
			p.run(New(p.options()))
			p.settled()
			p.wantWhole()
		})
	}
}

// failingKeeper fails the nth write, before it persists or after.
type failingKeeper struct {
	log     *auditlog.Log
	left    int
	persist bool
}

var errInjected = errors.New("injected: no space left on device")

func (k *failingKeeper) KeepSynced(ctx context.Context, records ...auditlog.Record) error {
	k.left--
	if k.left != 0 {
		return k.log.KeepSynced(ctx, records...)
	}
	if k.persist {
		if err := k.log.KeepSynced(ctx, records...); err != nil {
			return err
		}
	}
	return errInjected
}

// Writes that fail: of the submission (the first) and of the receipt (the second),
// each before it persists and after.
func TestWritesThatFail(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	for _, c := range []struct {
		name    string
		nth     int
		persist bool
	}{
		{"submission, lost", 1, false}, {"submission, there all the same", 1, true},
		{"receipt, lost", 2, false}, {"receipt, there all the same", 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := l.place(t)
			w := New(p.options())
			w.keep = &failingKeeper{log: p.log, left: c.nth, persist: c.persist}
			p.seal(2)
			if _, err := w.Once(t.Context()); !errors.Is(err, errInjected) {
				t.Fatalf("a write failed: %v", err)
			}
			if r, err := w.Once(t.Context()); err != nil || r.GetCheckpointId() != 1 {
				t.Fatalf("once more: %v, %v", r, err)
			}
			p.wantWhole()
		})
	}
}

func TestAnotherAccountPays(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	payer := newSigner(t)
	if err := p.node.Fund(t.Context(), payer.Address(), 100*stroops); err != nil {
		t.Fatal(err)
	}
	o := p.options()
	o.Payment.Payer, o.Payment.Writer = payer, p.writer
	p.seal(1)
	if _, err := New(o).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := must(p.node.Transactions(t.Context()))(t)
	if last := all[len(all)-1]; last.Source != payer.Address() || !last.Success || len(p.transactions()) != p.before {
		t.Errorf("the last transaction is %+v", last)
	}
	if s, err := Check(t.Context(), p.directContract(), p.log.ID(), p.list(), Trusted{Executables: [][32]byte{contracts.Hash}, Whole: true}); err != nil || !s.OK() || s.NotYet > 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// A wrong key is refused by the ledger's own rules, before it costs anything.
func TestAStrangerPublishesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	stranger := newSigner(t)
	if err := p.node.Fund(t.Context(), stranger.Address(), 100*stroops); err != nil {
		t.Fatal(err)
	}
	o := p.options()
	o.Payment.Payer = stranger
	p.seal(1)
	_, err := New(o).Once(t.Context())
	if kind(err) != "auth" {
		t.Errorf("%s: %v", kind(err), err)
	}
	if len(p.transactions()) != p.before || p.progress().Submission != nil {
		t.Error("something was sent")
	}
}

func TestALogThatIsNotOpen(t *testing.T) {
	t.Parallel()
	p := newLedger(t).closedPlace(t)
	p.seal(1)
	w := New(p.options())
	p.run(w)
	p.until("the failure is told", func() bool { return w.Status().FailureKind() == "contract" })
	if err := w.Status().Failure; !errors.Is(err, stellar.ErrNotOpen) {
		t.Errorf("%v", err)
	}
	if len(p.transactions()) != p.before {
		t.Error("something was sent")
	}
}

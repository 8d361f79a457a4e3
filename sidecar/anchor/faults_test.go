package anchor

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"verbatim/sidecar/chain"
	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

// Whatever goes wrong is told by its kind, and the root is published when it is over.
func TestFaultsOfTheServer(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	for _, c := range []struct {
		name   string
		method string
		fault  soroban.Fault
		kinds  string // any of these
	}{
		{"away", soroban.AnyMethod, soroban.Drop, "unreachable"},
		{"answers lost", soroban.AnyMethod, soroban.DropAfter, "unreachable"},
		{"sends lost", "sendTransaction", soroban.DropAfter, "unreachable"},
		{"internal error", soroban.AnyMethod, soroban.Status500, "unreachable"},
		{"too many requests", soroban.AnyMethod, soroban.Status429, "unreachable"},
		{"no JSON", soroban.AnyMethod, soroban.Nonsense, "nonsense unreachable"},
		{"another shape", soroban.AnyMethod, soroban.WrongShape, "nonsense"},
		{"garbage of entries", "getLedgerEntries", soroban.GarbageXDR, "nonsense"},
		{"garbage of simulation", "simulateTransaction", soroban.GarbageXDR, "nonsense"},
		{"garbage of outcomes", "getTransaction", soroban.GarbageXDR, "nonsense"},
		{"garbage of sending", "sendTransaction", soroban.GarbageXDR, "nonsense"},
		{"endless answers", soroban.AnyMethod, soroban.Endless, "nonsense unreachable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := l.place(t)
			p.proxy.Misbehave(c.method, c.fault, -1)
			w := New(p.options())
			p.run(w)
			p.seal(2)
			p.until("the failure is told", func() bool { return w.Status().Failure != nil })
			if kind := w.Status().FailureKind(); !strings.Contains(c.kinds, kind) {
				t.Errorf("told as %s: %v", kind, w.Status().Failure)
			}
			p.proxy.Behave()
			p.settled()
			p.wantWhole()
			p.until("the failure is over", func() bool { return w.Status().Failure == nil })
		})
	}
}

// Whatever the network does with a transaction, its root is committed once.
func TestFaultsOfTheLedger(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	for _, c := range []struct {
		name  string
		count int
		kind  string // that is told meanwhile; empty: none need be
	}{
		{"swallow", 3, ""}, // it is sent again, the same bytes
		{"try_again_later", 2, ""},
		{"bad_seq", 1, "sequence"},
		{"insufficient_fee", 1, "fee"},
		{"not_found", 3, ""},
		{"hold", -1, ""},
		{"wrong_network", 1, "wrong_network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := l.place(t)
			if err := p.node.Misbehave(t.Context(), c.name, c.count); err != nil {
				t.Fatal(err)
			}
			seen := &kinds{}
			o := p.options()
			o.Client = dial(t, p.proxy.URL()) // it has not asked for the network yet
			o.Contract = must(o.Client.Contract(p.contract.ID()))(t)
			o.Observer = seen
			w := New(o)
			p.run(w)
			p.seal(2)
			if c.count < 0 {
				p.until("it is under way", func() bool { return p.progress().Submission != nil })
				if err := p.node.Behave(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			p.settled()
			p.wantWhole()
			if c.kind != "" && !strings.Contains(seen.list(), c.kind) {
				t.Errorf("told %q, want %s", seen.list(), c.kind)
			}
		})
	}
}

// kinds collects failures.
type kinds struct{ text atomic.Value }

func (k *kinds) AnchorFailed(kind string) { k.text.Store(k.list() + " " + kind) }
func (k *kinds) AnchorPaid(int64)         {}

func (k *kinds) list() string {
	text, _ := k.text.Load().(string)
	return text
}

// A transaction that never gets into a ledger is replaced when its time is over.
func TestATransactionThatIsLost(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if err := p.node.Misbehave(t.Context(), "swallow", -1); err != nil {
		t.Fatal(err)
	}
	w := New(p.options())
	p.run(w)
	p.seal(2)
	p.until("its time is over", func() bool { return w.Status().FailureKind() == "expired" })
	if err := p.node.Behave(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.settled()
	p.wantWhole()
}

func TestAFeeAboveTheCeilingIsNotPaid(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if err := p.node.Misbehave(t.Context(), "fee_surge", -1); err != nil {
		t.Fatal(err)
	}
	w := New(p.options())
	p.run(w)
	p.seal(1)
	p.until("the failure is told", func() bool { return w.Status().FailureKind() == "fee" })
	var fee *stellar.FeeError
	if err := w.Status().Failure; !errors.As(err, &fee) || fee.Ceiling != p.payment().MaxFee || fee.Needed <= fee.Ceiling {
		t.Errorf("%v", w.Status().Failure)
	}
	if len(p.transactions()) != p.before {
		t.Error("something was paid")
	}
	if err := p.node.Behave(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.settled()
	p.wantWhole()
}

// The server has forgotten the transaction: the contract still has the root.
func TestATransactionThatWasForgotten(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	w := New(p.options())
	stop := p.run(w)
	p.proxy.Misbehave("sendTransaction", soroban.HoldAfter, -1)
	p.seal(1)
	p.until("it is in a ledger", func() bool { return len(p.transactions()) > p.before })
	stop()
	p.proxy.Behave()
	if err := p.node.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.node.Advance(t.Context(), 8*24*time.Hour, 1000); err != nil {
		t.Fatal(err)
	}
	r, err := New(p.options()).Once(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.GetCheckpointId() != 0 || len(r.GetEnvelope()) != 0 || r.GetLedger() == 0 {
		t.Errorf("receipt %v", r)
	}
	p.wantWhole()
}

// The contract has another root of this log: nothing is sent, and somebody is told.
func TestAFork(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	for _, c := range []struct {
		name string
		id   uint64
		want string
	}{
		{"another root", 0, "this log has "},
		{"a checkpoint that is not here", 40, "which this log does not have"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := l.place(t)
			p.seal(2)
			l.transact(t, p.directContract().Commit(p.log.ID(), c.id, [32]byte{7}, 1), p.writer)
			sent := len(p.transactions())
			w := New(p.options())
			p.run(w)
			p.until("the alarm is raised", func() bool { return w.Status().Alarm != "" })
			var fork *ForkError
			s := w.Status()
			if !errors.As(s.Failure, &fork) || fork.Published != (chain.Hash{7}) || s.FailureKind() != "forked" || !strings.Contains(s.Alarm, c.want) {
				t.Errorf("%+v", s)
			}
			if _, err := w.AnchorNow(t.Context()); !errors.As(err, &fork) {
				t.Errorf("anchored now: %v", err)
			}
			if len(p.transactions()) != sent {
				t.Error("something was sent")
			}
		})
	}
}

func TestTheAlarmOfAnOldCheckpoint(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.proxy.Misbehave(soroban.AnyMethod, soroban.Drop, -1)
	o := p.options()
	var later atomic.Int64
	o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	o.Schedule.AlarmAfter = time.Hour
	w := New(o)
	p.run(w)
	p.seal(1)
	p.until("the failure is told", func() bool { return w.Status().Failure != nil })
	if s := w.Status(); s.Alarm != "" {
		t.Errorf("alarm at once: %s", s.Alarm)
	}
	later.Store(int64(2 * time.Hour))
	if s := w.Status(); !strings.Contains(s.Alarm, "longer ago than 1h0m0s: ") {
		t.Errorf("after two hours: %q", s.Alarm)
	}
	p.proxy.Behave()
	p.settled()
	p.until("the alarm is over", func() bool { return w.Status().Alarm == "" })
}

package stellar_test

import (
	"testing"
	"time"

	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

// behindProxy lets the ledger's client ask through a proxy from now on.
func (l *ledger) behindProxy() *soroban.Proxy {
	l.t.Helper()
	proxy := soroban.StartProxy(l.t, l.node)
	l.Client = dial(l.t, proxy.URL(), soroban.Passphrase)
	k, err := l.Client.Contract(l.ID())
	if err != nil {
		l.t.Fatal(err)
	}
	l.Contract = k
	return proxy
}

// TestFaults: whatever happens to a question on its way or to its answer is told, and
// the next one is answered.
func TestFaults(t *testing.T) {
	l := deploy(t)
	proxy := l.behindProxy()
	commit := l.Commit(l.log, 1, [32]byte{1}, 1)
	tx := l.prepare(commit, l.pay()) // it also knows the network now
	prepare := func() error { _, err := l.Prepare(t.Context(), commit, l.pay()); return err }
	hasXDR := map[string]bool{"getLedgerEntries": true, "simulateTransaction": true, "getTransaction": true}
	for method, ask := range map[string]func() error{
		"getHealth":           prepare,
		"getLedgerEntries":    prepare,
		"getFeeStats":         prepare,
		"simulateTransaction": prepare,
		"getNetwork":          func() error { return l.CheckNetwork(t.Context()) },
		"getTransaction":      func() error { _, err := l.Outcome(t.Context(), tx.Hash); return err },
	} {
		for fault, kind := range map[soroban.Fault]string{
			soroban.Drop: "unreachable", soroban.DropAfter: "unreachable", soroban.Hold: "unreachable", soroban.HoldAfter: "unreachable",
			soroban.Status500: "unreachable", soroban.Status429: "unreachable", soroban.Nonsense: "nonsense",
			soroban.WrongShape: "nonsense", soroban.GarbageXDR: "nonsense", soroban.Endless: "nonsense",
		} {
			if fault == soroban.GarbageXDR && !hasXDR[method] {
				continue
			}
			if fault == soroban.Hold || fault == soroban.HoldAfter {
				l.SetAnswerTime(50 * time.Millisecond)
			}
			proxy.Misbehave(method, fault, -1)
			err := ask()
			proxy.Behave()
			l.SetAnswerTime(time.Minute)
			if err == nil || stellar.Kind(err) != kind {
				t.Errorf("%s with fault %d: kind is %s, not %s: %v", method, fault, stellar.Kind(err), kind, err)
			}
			if err := ask(); err != nil {
				t.Errorf("%s after fault %d: %v", method, fault, err)
			}
		}
	}
}

// TestLostAnswerToSend: what was sent may have arrived, and only the ledger tells.
func TestLostAnswerToSend(t *testing.T) {
	l := deploy(t)
	proxy := l.behindProxy()
	for id, c := range []struct {
		fault   soroban.Fault
		kind    string
		arrives bool
	}{
		{soroban.Drop, "unreachable", false},
		{soroban.DropAfter, "unreachable", true},
		{soroban.HoldAfter, "unreachable", true},
		{soroban.Status500, "unreachable", false},
		{soroban.WrongShape, "nonsense", false},
		{soroban.GarbageXDR, "nonsense", false},
	} {
		tx := l.prepare(l.Commit(l.log, uint64(id), [32]byte{1}, 1), l.pay())
		proxy.Misbehave("sendTransaction", c.fault, 1)
		if c.fault == soroban.HoldAfter {
			l.SetAnswerTime(time.Second)
		}
		err := l.Send(t.Context(), tx.Envelope)
		l.SetAnswerTime(time.Minute)
		proxy.Behave()
		fails(t, err, c.kind, nil)
		if stellar.Rejected(err) {
			t.Errorf("fault %d is a refusal: %v", c.fault, err)
		}
		l.close()
		out, err := l.Outcome(t.Context(), tx.Hash)
		if err != nil || (out.Status == stellar.Success) != c.arrives {
			t.Fatalf("after fault %d it is %s: %v", c.fault, out.Status, err)
		}
		err = l.Send(t.Context(), tx.Envelope)
		if c.arrives {
			fails(t, err, "sequence", stellar.ErrBadSequence)
		} else if err != nil {
			t.Errorf("sent again after fault %d: %v", c.fault, err)
		}
		l.close()
	}
	list, err := l.node.Transactions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if deployed, commits := 3, 6; len(list) != deployed+commits {
		t.Errorf("%d transactions are in ledgers, not %d", len(list), deployed+commits)
	}
}

// TestHeldTransaction: a ledger may close without it.
func TestHeldTransaction(t *testing.T) {
	l := deploy(t)
	tx := l.prepare(l.Commit(l.log, 1, [32]byte{1}, 1), l.pay())
	l.tell(l.node.Misbehave(t.Context(), "hold", -1))
	l.send(tx)
	l.close()
	if out, err := l.Outcome(t.Context(), tx.Hash); err != nil || out.Status != stellar.Unknown {
		t.Errorf("it is %s: %v", out.Status, err)
	}
	l.send(tx) // DUPLICATE
	l.tell(l.node.Behave(t.Context()))
	l.close()
	if out, err := l.Await(t.Context(), tx); err != nil || out.Status != stellar.Success {
		t.Errorf("it is %s: %v", out.Status, err)
	}
}

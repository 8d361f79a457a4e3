package e2e

import (
	"encoding/hex"
	"testing"

	"verbatim/sidecar/auditlog"
	"verbatim/tests/mesh"
	"verbatim/tests/soroban"
)

func logHash(b []byte) string { return hex.EncodeToString(b) }

func entryHash(t *testing.T, log string, offset uint64) string {
	t.Helper()
	v, err := auditlog.OpenReadOnly(log)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	e, err := v.Entry(offset)
	if err != nil {
		t.Fatal(err)
	}
	return e.Hash().String()
}

// TestCrashWhilePublishing kills the sidecar at each step of a submission. One commit
// is on the ledger for each root afterwards, and none is lost.
func TestCrashWhilePublishing(t *testing.T) {
	a := newAnchoredSite(t, 100, "--seal.max-age", "500ms")
	for _, step := range []struct {
		name string
		// reach brings the submission to the step and returns when it is there.
		reach func()
	}{
		{"nothing is kept yet", func() {
			a.held("simulateTransaction", soroban.Hold)
		}},
		{"kept and not sent", func() {
			a.held("sendTransaction", soroban.Hold)
		}},
		{"sent, and the answer not seen", func() {
			a.held("sendTransaction", soroban.HoldAfter)
		}},
		{"in a ledger, and the receipt not stored", func() {
			sent, applied := a.proxy.Calls("sendTransaction"), len(a.transactions())
			a.loadSome()
			poll(t, "the transaction is sent", func() (bool, error) {
				if a.proxy.Calls("sendTransaction") == sent {
					return false, nil
				}
				a.proxy.Misbehave("getTransaction", soroban.HoldAfter, -1)
				return true, nil
			})
			poll(t, "it is in a ledger", func() (bool, error) { return len(a.transactions()) > applied, nil })
		}},
	} {
		for range 2 {
			step.reach()
			a.sidecar.Kill()
			a.proxy.Behave()
			a.startSidecar()
			s := a.settled()
			t.Logf("killed when %s: %+v", step.name, s)
		}
	}
	a.loadSome()
	a.settled()
	a.stop()
	a.run(0, append([]string{"anchor", "now", "--log", a.log}, a.sending()...)...)
	a.wantWhole()
	if r := a.verifyAnchors(0, a.log); r.Public.NotYet != 0 {
		t.Errorf("%+v", r)
	}
}

// held gives load and returns when a request of a method is held.
func (a *anchoredSite) held(method string, how soroban.Fault) {
	a.t.Helper()
	calls := a.proxy.Calls(method)
	a.proxy.Misbehave(method, how, -1)
	a.loadSome()
	if err := a.proxy.Await(a.t.Context(), method, calls+1); err != nil {
		a.t.Fatal(err)
	}
}

// loadSome fills a window of a log with small ones.
func (a *anchoredSite) loadSome() {
	a.t.Helper()
	a.load(mesh.LoadOptions{Connections: 8, Events: 100, Meters: 20})
}

// TestNetworkAwayForManyCheckpoints: the server is away while 500 checkpoints are
// sealed; then a handful of transactions covers all.
func TestNetworkAwayForManyCheckpoints(t *testing.T) {
	a := newAnchoredSite(t, 10)
	a.proxy.Misbehave(soroban.AnyMethod, soroban.Drop, -1)
	a.load(mesh.LoadOptions{Connections: 16, Events: 2_600, Meters: 100})
	away := a.status()
	if away.Pending < 500 || away.Confirmed != 0 {
		t.Fatalf("while the network is away: %+v", away)
	}
	poll(t, "the failure is told", func() (bool, error) { return a.status().FailureKind == "unreachable", nil })
	if len(a.transactions()) != a.before {
		t.Error("something was published")
	}
	a.proxy.Behave()
	s := a.settled()
	if s.Confirmed > 5 || s.Confirmed == 0 || s.Confirmed+s.Covered != s.Checkpoints {
		t.Errorf("after the network came back: %+v", s)
	}
	a.stop()
	a.run(0, append([]string{"anchor", "now", "--log", a.log}, a.sending()...)...)
	a.wantWhole()
	if r := a.verifyAnchors(0, a.log); r.Public.NotYet != 0 {
		t.Errorf("%+v", r)
	}
}

package stellar_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"verbatim/contracts"
	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

func TestOutcomes(t *testing.T) {
	l := deploy(t)
	ctx := t.Context()
	rival := l.account(1000 * xlm)
	first := l.prepare(l.Commit(l.log, 1, [32]byte{1}, 1), l.pay())
	second := l.prepare(l.Commit(l.log, 1, [32]byte{2}, 1), payment(rival, l.writer))
	is := func(tx *stellar.Transaction, want stellar.Status) stellar.Outcome {
		t.Helper()
		out, err := l.Outcome(ctx, tx.Hash)
		if err != nil || out.Status != want {
			t.Fatalf("it is %s, not %s: %v", out.Status, want, err)
		}
		return out
	}
	is(first, stellar.Unknown)
	l.send(first)
	l.send(second)
	is(first, stellar.Unknown)
	l.close()
	won, lost := is(first, stellar.Success), is(second, stellar.Failed)
	if won.Err != nil || won.Ledger != lost.Ledger {
		t.Errorf("the winner: %+v", won)
	}
	var failed *stellar.FailedError
	if !errors.As(lost.Err, &failed) || failed.Code != "INVOKE_HOST_FUNCTION_TRAPPED" || lost.FeeCharged <= 0 {
		t.Errorf("the loser: %+v", lost)
	}
	if failed.Contract != 0 && failed.Contract != contracts.RootDiffers {
		t.Errorf("the contract's error is %v", failed.Contract)
	}
	if _, err := stellar.CheckReceipt(soroban.Passphrase, l.ID(), second.Hash, lost.Envelope, lost.Result); err == nil {
		t.Error("a failed commit is a receipt")
	}
	l.tell(l.node.Forget(ctx))
	l.close()
	if out := is(first, stellar.Unknown); out.OldestLedger <= won.Ledger || out.LatestLedger < out.OldestLedger {
		t.Errorf("the server keeps ledgers %d to %d, and forgot %d", out.OldestLedger, out.LatestLedger, won.Ledger)
	}
}

func TestAwait(t *testing.T) {
	l := deploy(t)
	commit := l.Commit(l.log, 1, [32]byte{1}, 1)

	t.Run("lost", func(t *testing.T) {
		tx := l.prepare(commit, l.pay())
		l.tell(l.node.Misbehave(t.Context(), "swallow", 1))
		l.send(tx)
		l.tell(l.node.Advance(t.Context(), 2*time.Minute, 20))
		out, err := l.Await(t.Context(), tx)
		fails(t, err, "expired", stellar.ErrExpired)
		if !out.LatestClosedAt.After(tx.ValidUntil) {
			t.Errorf("the newest ledger closed at %s, it was valid until %s", out.LatestClosedAt, tx.ValidUntil)
		}
	})
	t.Run("late", func(t *testing.T) {
		tx := l.prepare(commit, l.pay())
		l.tell(l.node.Misbehave(t.Context(), "not_found", 2))
		if out := l.settle(tx); out.Status != stellar.Success {
			t.Errorf("it is %s", out.Status)
		}
	})
	t.Run("given up", func(t *testing.T) {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		_, err := l.Await(ctx, l.prepare(l.Commit(l.log, 2, [32]byte{1}, 1), l.pay()))
		if !errors.Is(err, why) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestWrongNetwork(t *testing.T) {
	l := deploy(t)
	ctx := t.Context()
	other := dial(t, l.node.URL(), "Some Other Network")
	tx := l.prepare(l.Commit(l.log, 1, [32]byte{1}, 1), l.pay())
	_, prepareErr := other.Prepare(ctx, l.Commit(l.log, 1, [32]byte{1}, 1), l.pay())
	_, outcomeErr := other.Outcome(ctx, tx.Hash)
	for name, err := range map[string]error{
		"check": other.CheckNetwork(ctx), "prepare": prepareErr, "send": other.Send(ctx, tx.Envelope), "outcome": outcomeErr,
	} {
		t.Run(name, func(t *testing.T) { fails(t, err, "wrong_network", stellar.ErrWrongNetwork) })
	}
}

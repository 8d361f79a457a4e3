package stellar_test

import (
	"errors"
	"testing"
	"time"

	"verbatim/sidecar/stellar"
)

func TestFeeCeiling(t *testing.T) {
	l := deploy(t)
	commit := l.Commit(l.log, 3, [32]byte{5}, 77)
	p := l.pay()
	p.MaxFee = l.prepare(commit, p).MaxFee - 1
	_, err := l.Prepare(t.Context(), commit, p)
	fails(t, err, "fee", nil)
	var fee *stellar.FeeError
	if !errors.As(err, &fee) || fee.Ceiling != p.MaxFee || fee.Needed != p.MaxFee+1 {
		t.Fatalf("error is %v", err)
	}
	p.MaxFee = fee.Needed
	l.prepare(commit, p)

	l.tell(l.node.Misbehave(t.Context(), "fee_surge", -1))
	_, err = l.Prepare(t.Context(), commit, p)
	fails(t, err, "fee", nil)
	l.tell(l.node.Behave(t.Context()))
	l.succeed(commit, p)
}

func TestSendRefusals(t *testing.T) {
	l := deploy(t)
	ctx := t.Context()
	commit := func(id uint64) stellar.Operation { return l.Commit(l.log, id, [32]byte{5}, 77) }

	t.Run("used sequence number", func(t *testing.T) {
		first, second := l.prepare(commit(1), l.pay()), l.prepare(commit(1), l.pay())
		if first.Sequence != second.Sequence || first.Hash == second.Hash {
			t.Fatal("they should be two with one number")
		}
		l.settle(first)
		err := l.Send(ctx, second.Envelope)
		fails(t, err, "sequence", stellar.ErrBadSequence)
		if !stellar.Rejected(err) {
			t.Error("it was not rejected")
		}
		// A transaction that is in a ledger is refused the same way.
		fails(t, l.Send(ctx, first.Envelope), "sequence", stellar.ErrBadSequence)
	})
	t.Run("too late", func(t *testing.T) {
		p := l.pay()
		p.ValidFor = time.Second
		tx := l.prepare(commit(2), p)
		l.tell(l.node.Advance(ctx, 10*time.Second, 2))
		fails(t, l.Send(ctx, tx.Envelope), "expired", stellar.ErrTooLate)
	})
	t.Run("no funds", func(t *testing.T) {
		poor := l.account(1*xlm + 1000)
		fails(t, l.Send(ctx, l.prepare(commit(2), payment(poor, l.writer)).Envelope), "funds", stellar.ErrNoFunds)
	})
	t.Run("no account", func(t *testing.T) {
		_, err := l.Prepare(ctx, commit(2), payment(l.account(0), l.writer))
		fails(t, err, "funds", stellar.ErrNoAccount)
	})
	t.Run("twice", func(t *testing.T) {
		tx := l.prepare(commit(2), l.pay())
		l.send(tx)
		l.send(tx) // DUPLICATE
		err := l.Send(ctx, l.prepare(commit(3), l.pay()).Envelope)
		fails(t, err, "try_again", stellar.ErrTryAgainLater)
		if stellar.Rejected(err) {
			t.Error("it is rejected")
		}
		l.close()
	})
	for how, c := range map[string]struct {
		kind  string
		cause error
	}{
		"bad_seq":          {"sequence", stellar.ErrBadSequence},
		"insufficient_fee": {"fee", stellar.ErrFeeTooSmall},
		"try_again_later":  {"try_again", stellar.ErrTryAgainLater},
	} {
		t.Run(how, func(t *testing.T) {
			tx := l.prepare(commit(9), l.pay())
			l.tell(l.node.Misbehave(ctx, how, 1))
			fails(t, l.Send(ctx, tx.Envelope), c.kind, c.cause)
			l.settle(tx)
		})
	}
}

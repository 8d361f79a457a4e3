package stellar_test

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"

	"verbatim/sidecar/stellar"
	"verbatim/tests/soroban"
)

// badSigner claims another address than its key's.
type badSigner struct {
	stellar.Signer
	address string
	err     error
}

func (s badSigner) Address() string { return s.address }

func (s badSigner) Sign(ctx context.Context, hash [32]byte) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Signer.Sign(ctx, hash)
}

func TestBadSigners(t *testing.T) {
	l := deploy(t)
	down := errors.New("the key service is down")
	commit := l.Commit(l.log, 3, [32]byte{5}, 77)
	for name, c := range map[string]struct {
		p     stellar.Payment
		cause error
	}{
		"writer with another key": {payment(l.payer, badSigner{l.payer, l.writer.Address(), nil}), stellar.ErrNotAuthorized},
		"payer with another key":  {payment(badSigner{l.writer, l.payer.Address(), nil}, l.writer), stellar.ErrNotAuthorized},
		"writer fails":            {payment(l.payer, badSigner{l.writer, l.writer.Address(), down}), down},
		"payer fails":             {payment(badSigner{l.payer, l.payer.Address(), down}, l.writer), down},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := l.Prepare(t.Context(), commit, c.p)
			fails(t, err, "auth", c.cause)
		})
	}
	l.succeed(commit, l.pay())
}

// TestForgedAuthorization: only the ledger checks a signature of the right address
// over something else.
func TestForgedAuthorization(t *testing.T) {
	l := deploy(t)
	tx := l.prepare(l.Commit(l.log, 3, [32]byte{5}, 77), l.pay())
	forged := append([]byte(nil), tx.Envelope...)
	forged[len(forged)-1] ^= 1
	fails(t, l.Send(t.Context(), forged), "auth", stellar.ErrNotAuthorized)
	if _, err := stellar.CheckReceipt(soroban.Passphrase, l.ID(), tx.Hash, forged, nil); err == nil {
		t.Error("it is a receipt")
	}
	fails(t, l.Send(t.Context(), []byte(base64.StdEncoding.EncodeToString(tx.Envelope))), "internal", nil)
}

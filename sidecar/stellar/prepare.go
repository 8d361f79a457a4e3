package stellar

import (
	"context"
	"fmt"
	"time"

	"github.com/stellar/go-stellar-sdk/keypair"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// Transaction is signed and ready to send. Its bytes never change.
type Transaction struct {
	Hash [32]byte
	// Envelope is the signed TransactionEnvelope in XDR.
	Envelope []byte
	// MaxFee is the most that it can cost, in stroops.
	MaxFee int64
	// ValidUntil is the latest close time, to the second, of a ledger that it can get
	// into.
	ValidUntil time.Time
	// Source is the payer's account, Sequence the number it uses up.
	Source   string
	Sequence int64
	// Restores is how many expired entries it restores on the way.
	Restores int
}

// Prepare simulates an operation, assembles the transaction and signs it. It sends
// nothing. Among its errors are contracts.Error, *FeeError, ErrNotAuthorized,
// ErrNoAccount, ErrArchived, *SimulationError, ErrWrongNetwork, *ServerError and
// *AnswerError. What has expired and is needed is restored on the way; ErrArchived is
// of servers that want a transaction of its own for that.
func (c *Client) Prepare(ctx context.Context, op Operation, p Payment) (*Transaction, error) {
	d, err := c.draft(ctx, op, p)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", op, err)
	}
	tx, err := d.sign(ctx)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", op, err)
	}
	return tx, nil
}

func (d *draft) sign(ctx context.Context) (*Transaction, error) {
	tx, err := d.build()
	if err != nil {
		return nil, err
	}
	hash, err := tx.Hash(d.client.passphrase)
	if err != nil {
		return nil, fmt.Errorf("hash transaction: %w", err)
	}
	signature, err := sign(ctx, d.payment.Payer, hash)
	if err != nil {
		return nil, err
	}
	public, err := keypair.ParseAddress(d.payment.Payer.Address())
	if err != nil {
		return nil, fmt.Errorf("payer: %w", err)
	}
	tx, err = tx.AddSignatureDecorated(xdr.DecoratedSignature{Hint: public.Hint(), Signature: signature})
	if err != nil {
		return nil, fmt.Errorf("add signature: %w", err)
	}
	envelope, err := tx.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode transaction: %w", err)
	}
	return &Transaction{
		Hash: hash, Envelope: envelope, MaxFee: tx.MaxFee(), ValidUntil: d.until,
		Source: d.payment.Payer.Address(), Sequence: d.sequence, Restores: d.restores,
	}, nil
}

package stellar

import (
	"context"
	"fmt"
	"math"
	"time"

	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/txnbuild"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// draft is a transaction in the making.
type draft struct {
	client    *Client
	op        Operation
	payment   Payment
	sequence  int64
	until     time.Time
	inclusion int64                      // fee to bid for a place in a ledger, stroops
	resources xdr.SorobanTransactionData // with their fee; at first only what to restore
	restores  int
	auth      []xdr.SorobanAuthorizationEntry
}

// draft asks the server for everything that a transaction takes.
func (c *Client) draft(ctx context.Context, op Operation, p Payment) (*draft, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := c.checkNetworkOnce(ctx); err != nil {
		return nil, err
	}
	d := &draft{client: c, op: op, payment: p}
	d.resources.Resources.Footprint.ReadWrite = op.restore
	latest, err := c.Latest(ctx)
	if err != nil {
		return nil, err
	}
	d.until = latest.ClosedAt.Add(p.ValidFor).Truncate(time.Second)
	if d.sequence, err = c.nextSequence(ctx, p.Payer.Address()); err != nil {
		return nil, err
	}
	if d.inclusion, err = c.inclusionFee(ctx); err != nil {
		return nil, err
	}
	if err := d.simulate(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// simulate finds what the transaction takes, and has it authorized. An authorization
// that is signed takes more or less than one that isn't: then it simulates again,
// with the signature checked.
func (d *draft) simulate(ctx context.Context) error {
	s, err := d.simulateOnce(ctx)
	if err != nil {
		return err
	}
	signed, err := d.authorize(ctx, s)
	if err == nil && signed {
		s, err = d.simulateOnce(ctx)
	}
	if err != nil {
		return err
	}
	d.resources, d.restores = s.resources, s.restores()
	return checkFee(d.inclusion, s.resources.ResourceFee, d.payment.MaxFee)
}

func (d *draft) simulateOnce(ctx context.Context) (*simulated, error) {
	tx, err := d.build()
	if err != nil {
		return nil, err
	}
	return d.client.simulate(ctx, tx)
}

// authorize adds the authorization that the server says the operation needs, if it is
// the writer's. signed is false when the transaction's own signature is enough.
func (d *draft) authorize(ctx context.Context, s *simulated) (signed bool, err error) {
	payer, writer := d.payment.Payer.Address(), d.payment.writer()
	address, needed, err := d.op.asked(s.auth, payer)
	switch {
	case err != nil || !needed:
		return false, err
	case address != writer.Address():
		return false, fmt.Errorf("%w: %s needs the authorization of %s, the writer that would sign is %s", ErrNotAuthorized, d.op, address, writer.Address())
	case address == payer:
		d.auth = []xdr.SorobanAuthorizationEntry{d.op.bySource()}
		return false, nil
	}
	// Not more than one ledger closes in a second.
	until := uint64(s.latest) + uint64(d.payment.ValidFor/time.Second) + 16
	if until > math.MaxUint32 {
		return false, d.client.nonsense(protocol.SimulateTransactionMethodName, fmt.Errorf("ledger number %d is out of range", s.latest))
	}
	entry, err := d.op.bySigner(ctx, writer, d.client.passphrase, uint32(until))
	d.auth = []xdr.SorobanAuthorizationEntry{entry}
	return true, err
}

// build makes the transaction as far as it is known. txnbuild adds the resources' fee
// to BaseFee by itself.
func (d *draft) build() (*txnbuild.Transaction, error) {
	ext := xdr.TransactionExt{V: 1, SorobanData: &d.resources}
	var op txnbuild.Operation = &txnbuild.RestoreFootprint{Ext: ext}
	if d.op.function != nil {
		op = &txnbuild.InvokeHostFunction{HostFunction: *d.op.function, Auth: d.auth, Ext: ext}
	}
	tx, err := txnbuild.NewTransaction(txnbuild.TransactionParams{
		SourceAccount: &txnbuild.SimpleAccount{AccountID: d.payment.Payer.Address(), Sequence: d.sequence},
		Operations:    []txnbuild.Operation{op},
		BaseFee:       d.inclusion,
		Preconditions: txnbuild.Preconditions{TimeBounds: txnbuild.NewTimebounds(0, d.until.Unix())},
	})
	if err != nil {
		return nil, fmt.Errorf("build transaction: %w", err)
	}
	return tx, nil
}

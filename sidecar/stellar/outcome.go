package stellar

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/stellar/go-stellar-sdk/clients/rpcclient"
	"github.com/stellar/go-stellar-sdk/network"
	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// Status of a transaction.
type Status int

// All there are.
const (
	// Unknown: the server has no such transaction in the ledgers that it keeps.
	Unknown Status = iota
	// Success: it is in a ledger and did what it was to do.
	Success
	// Failed: it is in a ledger, its fee is paid, and it did nothing.
	Failed
)

func (s Status) String() string {
	switch s {
	case Unknown:
		return "unknown"
	case Success:
		return "success"
	case Failed:
		return "failed"
	}
	return fmt.Sprintf("Status(%d)", int(s))
}

// Outcome is what a server knows of a transaction.
type Outcome struct {
	Status Status
	// Err is a *FailedError when Status is Failed.
	Err error
	// Ledger and ClosedAt are of the ledger that it is in; zero when Unknown.
	Ledger   uint32
	ClosedAt time.Time
	// Envelope and Result are the TransactionEnvelope and TransactionResult in XDR.
	// The envelope hashes to what was asked for, or is a fee bump around that.
	Envelope, Result []byte
	// FeeCharged is in stroops.
	FeeCharged int64

	// Oldest is the oldest ledger that the server keeps transactions of, Latest the
	// newest that it knows. OldestClosedAt is zero if the server does not tell.
	OldestLedger, LatestLedger     uint32
	OldestClosedAt, LatestClosedAt time.Time
}

// Outcome asks what became of a transaction. An error means that the server did not
// tell.
func (c *Client) Outcome(ctx context.Context, hash [32]byte) (Outcome, error) {
	if err := c.checkNetworkOnce(ctx); err != nil {
		return Outcome{}, err
	}
	answer, err := call(ctx, c, protocol.GetTransactionMethodName, func(rpc *rpcclient.Client, ctx context.Context) (protocol.GetTransactionResponse, error) {
		return rpc.GetTransaction(ctx, protocol.GetTransactionRequest{Hash: hex.EncodeToString(hash[:])})
	})
	if err != nil {
		return Outcome{}, err
	}
	out, err := readOutcome(c.passphrase, hash, answer)
	if err != nil {
		return Outcome{}, c.nonsense(protocol.GetTransactionMethodName, err)
	}
	return out, nil
}

func readOutcome(passphrase string, hash [32]byte, answer protocol.GetTransactionResponse) (Outcome, error) {
	latest, err := ledgerTime(answer.LatestLedger, answer.LatestLedgerCloseTime)
	if err != nil {
		return Outcome{}, fmt.Errorf("latest ledger: %w", err)
	}
	out := Outcome{OldestLedger: answer.OldestLedger, LatestLedger: latest.Sequence, LatestClosedAt: latest.ClosedAt}
	if answer.OldestLedgerCloseTime != 0 {
		if out.OldestClosedAt, err = closeTime(answer.OldestLedgerCloseTime); err != nil {
			return Outcome{}, fmt.Errorf("oldest ledger: %w", err)
		}
	}
	if answer.TransactionHash != "" && answer.TransactionHash != hex.EncodeToString(hash[:]) {
		return Outcome{}, fmt.Errorf("it is of transaction %.64q, not of %x", answer.TransactionHash, hash)
	}
	switch answer.Status {
	case protocol.TransactionStatusNotFound:
		return out, nil
	case protocol.TransactionStatusSuccess:
		out.Status = Success
	case protocol.TransactionStatusFailed:
		out.Status = Failed
	default:
		return Outcome{}, fmt.Errorf("status %.60q is none that there is", answer.Status)
	}
	if err := out.readIncluded(passphrase, hash, answer); err != nil {
		return Outcome{}, err
	}
	return out, nil
}

// readIncluded reads what there is only of a transaction in a ledger.
func (o *Outcome) readIncluded(passphrase string, hash [32]byte, answer protocol.GetTransactionResponse) error {
	in, err := ledgerTime(answer.Ledger, answer.LedgerCloseTime)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	o.Ledger, o.ClosedAt = in.Sequence, in.ClosedAt

	var envelope xdr.TransactionEnvelope
	if o.Envelope, err = decodeBase64(answer.EnvelopeXDR, &envelope); err != nil {
		return fmt.Errorf("read envelope: %w", err)
	}
	if _, err := hashed(passphrase, hash, envelope); err != nil {
		return err
	}
	var result xdr.TransactionResult
	if o.Result, err = decodeBase64(answer.ResultXDR, &result); err != nil {
		return fmt.Errorf("read result: %w", err)
	}
	code, success, err := resultCode(result)
	switch {
	case err != nil:
		return err
	case success != (o.Status == Success):
		return fmt.Errorf("status is %s, the result %s", o.Status, code)
	case result.FeeCharged < 0:
		return fmt.Errorf("fee %d is out of range", result.FeeCharged)
	}
	o.FeeCharged = int64(result.FeeCharged)
	if !success {
		o.Err = &FailedError{Code: code, Contract: contractError(answer.DiagnosticEventsXDR)}
	}
	return nil
}

// hashed is the transaction in an envelope that has this hash: the envelope's own, or
// the one in a fee bump.
func hashed(passphrase string, hash [32]byte, e xdr.TransactionEnvelope) (*xdr.TransactionV1Envelope, error) {
	own, err := network.HashTransactionInEnvelope(e, passphrase)
	if err != nil {
		return nil, fmt.Errorf("hash transaction: %w", err)
	}
	var tx *xdr.TransactionV1Envelope
	switch e.Type {
	case xdr.EnvelopeTypeEnvelopeTypeTx:
		tx = e.V1
	case xdr.EnvelopeTypeEnvelopeTypeTxFeeBump:
		tx = e.FeeBump.Tx.InnerTx.V1
	default:
		return nil, fmt.Errorf("envelope is a %s", e.Type)
	}
	inner, err := network.HashTransaction(tx.Tx, passphrase)
	if err != nil {
		return nil, fmt.Errorf("hash transaction: %w", err)
	}
	if hash != own && hash != inner {
		return nil, fmt.Errorf("the envelope is of transaction %x, not of %x", own, hash)
	}
	return tx, nil
}

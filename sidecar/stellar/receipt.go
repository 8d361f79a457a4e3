package stellar

import (
	"errors"
	"fmt"

	"github.com/stellar/go-stellar-sdk/keypair"
	"github.com/stellar/go-stellar-sdk/network"
	"github.com/stellar/go-stellar-sdk/strkey"
	"github.com/stellar/go-stellar-sdk/xdr"

	"verbatim/contracts"
)

// CommitCall is the call of commit that a receipt holds.
type CommitCall struct {
	LogID        [32]byte
	CheckpointID uint64
	Root         [32]byte
	// TimestampMS is the checkpoint's clock, Unix milliseconds.
	TimestampMS uint64
	// Source is the account of the transaction, G…; without a fee bump it paid.
	Source string
	// FeeCharged is in stroops.
	FeeCharged int64
}

// CheckReceipt checks, offline, that an envelope and a result, both in XDR, are of a
// successful call of commit on a contract: the envelope, or the transaction in its fee
// bump, hashes to hash on the network with this passphrase, and its source account
// signed it. Whether the network ever saw it can't be told from that.
func CheckReceipt(passphrase, contractID string, hash [32]byte, envelope, result []byte) (CommitCall, error) {
	var e xdr.TransactionEnvelope
	if err := decode(envelope, &e); err != nil {
		return CommitCall{}, fmt.Errorf("read envelope: %w", err)
	}
	tx, err := hashed(passphrase, hash, e)
	if err != nil {
		return CommitCall{}, err
	}
	call, err := readCommit(contractID, tx.Tx)
	if err != nil {
		return CommitCall{}, fmt.Errorf("transaction %x: %w", hash, err)
	}
	if call.Source, err = checkSignature(passphrase, tx); err != nil {
		return CommitCall{}, fmt.Errorf("transaction %x: %w", hash, err)
	}
	var r xdr.TransactionResult
	if err := decode(result, &r); err != nil {
		return CommitCall{}, fmt.Errorf("read result: %w", err)
	}
	code, success, err := resultCode(r)
	switch {
	case err != nil:
		return CommitCall{}, err
	case !success:
		return CommitCall{}, fmt.Errorf("the result is %s, not a success", code)
	case r.FeeCharged < 0:
		return CommitCall{}, fmt.Errorf("fee %d is out of range", r.FeeCharged)
	}
	call.FeeCharged = int64(r.FeeCharged)
	return call, nil
}

// readCommit reads the call of commit on a contract that is all that tx does.
func readCommit(contractID string, tx xdr.Transaction) (CommitCall, error) {
	var none CommitCall
	if len(tx.Operations) != 1 {
		return none, fmt.Errorf("it has %d operations, not one call", len(tx.Operations))
	}
	invoke, ok := tx.Operations[0].Body.GetInvokeHostFunctionOp()
	if !ok {
		return none, errors.New("it calls no contract")
	}
	c, ok := invoke.HostFunction.GetInvokeContract()
	if !ok {
		return none, errors.New("it calls no contract")
	}
	switch called, err := addressText(c.ContractAddress); {
	case err != nil:
		return none, err
	case called != contractID:
		return none, fmt.Errorf("it calls contract %s, not %.60s", called, contractID)
	case c.FunctionName != contracts.FunctionCommit:
		return none, fmt.Errorf("it calls %.32q, not commit", string(c.FunctionName))
	case len(c.Args) != 4:
		return none, fmt.Errorf("it calls commit with %d arguments, not 4", len(c.Args))
	}
	return readArguments(c.Args)
}

func readArguments(args []xdr.ScVal) (call CommitCall, err error) {
	if call.LogID, err = valueHash(args[0]); err != nil {
		return CommitCall{}, fmt.Errorf("read log_id: %w", err)
	}
	if call.CheckpointID, err = valueU64(args[1]); err != nil {
		return CommitCall{}, fmt.Errorf("read checkpoint_id: %w", err)
	}
	if call.Root, err = valueHash(args[2]); err != nil {
		return CommitCall{}, fmt.Errorf("read root_hash: %w", err)
	}
	if call.TimestampMS, err = valueU64(args[3]); err != nil {
		return CommitCall{}, fmt.Errorf("read timestamp: %w", err)
	}
	return call, nil
}

// checkSignature returns the source account, which must have signed with its master
// key.
func checkSignature(passphrase string, e *xdr.TransactionV1Envelope) (string, error) {
	id := e.Tx.SourceAccount.ToAccountId()
	source, err := strkey.Encode(strkey.VersionByteAccountID, id.Ed25519[:])
	if err != nil {
		return "", fmt.Errorf("read source account: %w", err)
	}
	hash, err := network.HashTransaction(e.Tx, passphrase)
	if err != nil {
		return "", fmt.Errorf("hash transaction: %w", err)
	}
	public, err := keypair.ParseAddress(source)
	if err != nil {
		return "", fmt.Errorf("read source account: %w", err)
	}
	for _, s := range e.Signatures {
		if public.Verify(hash[:], s.Signature) == nil {
			return source, nil
		}
	}
	return "", fmt.Errorf("its source account %s did not sign it", source)
}

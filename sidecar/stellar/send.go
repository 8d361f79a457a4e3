package stellar

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/stellar/go-stellar-sdk/clients/rpcclient"
	"github.com/stellar/go-stellar-sdk/network"
	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/protocols/stellarcore"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// Send hands a signed TransactionEnvelope, in XDR, to the server. nil means that the
// server has it, not that it is in a ledger. ErrTryAgainLater: it has not; the same
// bytes can be sent again. *SendError: it refused. After any other error it may have
// it or not.
func (c *Client) Send(ctx context.Context, envelope []byte) error {
	var e xdr.TransactionEnvelope
	if err := decode(envelope, &e); err != nil {
		return fmt.Errorf("read envelope: %w", err)
	}
	hash, err := network.HashTransactionInEnvelope(e, c.passphrase)
	if err != nil {
		return fmt.Errorf("hash transaction: %w", err)
	}
	if err := c.checkNetworkOnce(ctx); err != nil {
		return err
	}
	text := base64.StdEncoding.EncodeToString(envelope)
	answer, err := call(ctx, c, protocol.SendTransactionMethodName, func(rpc *rpcclient.Client, ctx context.Context) (protocol.SendTransactionResponse, error) {
		return rpc.SendTransaction(ctx, protocol.SendTransactionRequest{Transaction: text})
	})
	if err != nil {
		return err
	}
	if answer.Hash != hex.EncodeToString(hash[:]) {
		return c.nonsense(protocol.SendTransactionMethodName, fmt.Errorf("it is of transaction %.64q, not of %x", answer.Hash, hash))
	}
	switch answer.Status {
	case stellarcore.TXStatusPending, stellarcore.TXStatusDuplicate:
		return nil
	case stellarcore.TXStatusTryAgainLater:
		return ErrTryAgainLater
	case stellarcore.TXStatusError:
		return c.refusal(answer.ErrorResultXDR)
	}
	return c.nonsense(protocol.SendTransactionMethodName, fmt.Errorf("status %.60q is none that there is", answer.Status))
}

// refusal reads why a transaction was not taken.
func (c *Client) refusal(text string) error {
	var r xdr.TransactionResult
	if _, err := decodeBase64(text, &r); err != nil {
		return c.nonsense(protocol.SendTransactionMethodName, fmt.Errorf("read error result: %w", err))
	}
	code, success, err := resultCode(r)
	if err == nil && success {
		err = errors.New("it refuses with a success")
	}
	if err != nil {
		return c.nonsense(protocol.SendTransactionMethodName, err)
	}
	return &SendError{Code: code}
}

package stellar

import (
	"context"
	"errors"
	"fmt"

	"github.com/stellar/go-stellar-sdk/clients/rpcclient"
	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/txnbuild"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// simulated is what the server says that a transaction takes.
type simulated struct {
	resources xdr.SorobanTransactionData // with its fee, in stroops
	auth      []xdr.SorobanAuthorizationEntry
	latest    uint32 // the ledger that it is simulated on
}

// restores is how many expired entries the transaction restores on the way.
func (s *simulated) restores() int {
	ext, ok := s.resources.Ext.GetResourceExt()
	if !ok {
		return 0
	}
	return len(ext.ArchivedSorobanEntries)
}

// simulate asks what a transaction takes. Without authorizations in it, the server
// says which it needs; with them, it checks them as the ledger will.
func (c *Client) simulate(ctx context.Context, tx *txnbuild.Transaction) (*simulated, error) {
	text, err := tx.Base64()
	if err != nil {
		return nil, fmt.Errorf("encode transaction: %w", err)
	}
	answer, err := call(ctx, c, protocol.SimulateTransactionMethodName, func(rpc *rpcclient.Client, ctx context.Context) (protocol.SimulateTransactionResponse, error) {
		return rpc.SimulateTransaction(ctx, protocol.SimulateTransactionRequest{Transaction: text})
	})
	switch {
	case err != nil:
		return nil, err
	case answer.Error != "":
		return nil, c.simulationError(answer.Error)
	case answer.RestorePreamble != nil:
		return nil, ErrArchived
	}
	s, err := readSimulation(answer)
	if err != nil {
		return nil, c.nonsense(protocol.SimulateTransactionMethodName, err)
	}
	return s, nil
}

func readSimulation(answer protocol.SimulateTransactionResponse) (*simulated, error) {
	s := &simulated{latest: answer.LatestLedger}
	if s.latest == 0 {
		return nil, errors.New("it names no latest ledger")
	}
	if _, err := decodeBase64(answer.TransactionDataXDR, &s.resources); err != nil {
		return nil, fmt.Errorf("read transactionData: %w", err)
	}
	// The fee is in the data and beside it.
	s.resources.ResourceFee = max(s.resources.ResourceFee, xdr.Int64(answer.MinResourceFee))
	if s.resources.ResourceFee <= 0 {
		return nil, fmt.Errorf("resource fee %d is out of range", s.resources.ResourceFee)
	}
	if len(answer.Results) > 1 {
		return nil, fmt.Errorf("it has %d results of one operation", len(answer.Results))
	}
	for _, r := range answer.Results {
		if r.AuthXDR == nil {
			continue
		}
		for _, text := range *r.AuthXDR {
			var entry xdr.SorobanAuthorizationEntry
			if _, err := decodeBase64(text, &entry); err != nil {
				return nil, fmt.Errorf("read auth: %w", err)
			}
			s.auth = append(s.auth, entry)
		}
	}
	return s, nil
}

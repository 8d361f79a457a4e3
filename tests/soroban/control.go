package soroban

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Transaction is one that is in a ledger.
type Transaction struct {
	Hash       string
	Ledger     uint32
	Success    bool
	Source     string
	FeeCharged int64
}

// Fund adds to an account's balance, in stroops; the account is made if it isn't there.
func (n *Node) Fund(ctx context.Context, address string, stroops int64) error {
	return n.call(ctx, "node_fund", map[string]any{"address": address, "stroops": stroops}, nil)
}

// CloseLedgers closes ledgers, the first with all that is pending.
func (n *Node) CloseLedgers(ctx context.Context, count int) error {
	return n.call(ctx, "node_closeLedgers", map[string]any{"count": count}, nil)
}

// Advance lets time pass and ledgers with nothing in them, and closes one more.
func (n *Node) Advance(ctx context.Context, d time.Duration, ledgers uint32) error {
	return n.call(ctx, "node_advance", map[string]any{"seconds": int64(d.Seconds()), "ledgers": ledgers}, nil)
}

// Expire puts an entry into the archive; key is a LedgerKey in base64 XDR.
func (n *Node) Expire(ctx context.Context, key string) error {
	return n.call(ctx, "node_expire", map[string]any{"key": key}, nil)
}

// Forget makes RPC know nothing about transactions and events up to now.
func (n *Node) Forget(ctx context.Context) error { return n.call(ctx, "node_forget", nil, nil) }

// Misbehave makes the node do something wrong for the next count times; -1 for ever.
// README.md lists what it knows.
func (n *Node) Misbehave(ctx context.Context, how string, count int) error {
	return n.call(ctx, "node_misbehave", map[string]any{"how": how, "count": count}, nil)
}

// Behave ends all misbehaviour.
func (n *Node) Behave(ctx context.Context) error { return n.call(ctx, "node_behave", nil, nil) }

// Transactions are all that are in ledgers, in order, also those that RPC forgot.
func (n *Node) Transactions(ctx context.Context) ([]Transaction, error) {
	var list struct{ Transactions []Transaction }
	err := n.call(ctx, "node_transactions", nil, &list)
	return list.Transactions, err
}

func (n *Node) call(ctx context.Context, method string, params, result any) error {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	defer response.Body.Close()
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("call %s: %s", method, answer.Error.Message)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

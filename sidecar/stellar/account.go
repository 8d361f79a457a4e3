package stellar

import (
	"context"
	"fmt"
	"math"

	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// nextSequence is the number that an account's next transaction must have.
func (c *Client) nextSequence(ctx context.Context, address string) (int64, error) {
	id, err := accountID(address)
	if err != nil {
		return 0, fmt.Errorf("payer: %w", err)
	}
	found, err := c.entries(ctx, xdr.LedgerKey{Type: xdr.LedgerEntryTypeAccount, Account: &xdr.LedgerKeyAccount{AccountId: id}})
	switch {
	case err != nil:
		return 0, err
	case found[0] == nil:
		return 0, fmt.Errorf("%w: %s: pay some XLM to it, that makes it", ErrNoAccount, address)
	}
	used := int64(found[0].data.Account.SeqNum)
	if used < 0 || used == math.MaxInt64 {
		return 0, c.nonsense(protocol.GetLedgerEntriesMethodName, fmt.Errorf("sequence number %d of account %s is out of range", used, address))
	}
	return used + 1, nil
}

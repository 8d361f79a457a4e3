package stellar

import (
	"context"
	"math"

	"github.com/stellar/go-stellar-sdk/clients/rpcclient"
	protocol "github.com/stellar/go-stellar-sdk/protocols/rpc"
	"github.com/stellar/go-stellar-sdk/txnbuild"
	"github.com/stellar/go-stellar-sdk/xdr"
)

// inclusionFee is what to bid for a place in a ledger, in stroops: what nine of ten
// contract transactions of the last ledgers paid at most. The network takes what the
// cheapest of its ledger bid, not the bid.
func (c *Client) inclusionFee(ctx context.Context) (int64, error) {
	answer, err := call(ctx, c, protocol.GetFeeStatsMethodName, (*rpcclient.Client).GetFeeStats)
	if err != nil {
		return 0, err
	}
	return int64(min(max(answer.SorobanInclusionFee.P90, txnbuild.MinBaseFee), math.MaxUint32)), nil
}

// checkFee is a *FeeError when inclusion and resources cost more than the ceiling.
func checkFee(inclusion int64, resources xdr.Int64, ceiling int64) error {
	needed := inclusion + min(int64(resources), math.MaxInt64-inclusion)
	// A transaction's fee has 32 bits, only a fee bump's more.
	if most := min(ceiling, math.MaxUint32); needed > most {
		return &FeeError{Needed: needed, Ceiling: most}
	}
	return nil
}

package stellar

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Between two questions about a transaction; ledgers close every five seconds or so.
const (
	firstWait   = 500 * time.Millisecond
	longestWait = 4 * time.Second
)

// Await asks until a transaction is in a ledger, whether it succeeded or failed, or
// can't get into one any more: ErrExpired. While the server can't be reached it goes
// on until ctx ends; the error then is the last failure and ctx's.
func (c *Client) Await(ctx context.Context, tx *Transaction) (Outcome, error) {
	var last error
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		out, err := c.Outcome(ctx, tx.Hash)
		switch {
		case err == nil && out.Status != Unknown:
			return out, nil
		case err == nil && out.LatestClosedAt.After(tx.ValidUntil):
			return out, fmt.Errorf("await transaction %x: %w", tx.Hash, ErrExpired)
		case err != nil && !as[*ServerError](err):
			return Outcome{}, fmt.Errorf("await transaction %x: %w", tx.Hash, err)
		}
		last = err
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return Outcome{}, fmt.Errorf("await transaction %x: %w", tx.Hash, errors.Join(context.Cause(ctx), last))
		}
	}
}

package retention

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
)

// agedByCount returns the newest checkpoint that was there when the clock had
// counted the keep time less; nil if none was.
func agedByCount(ctx context.Context, v *auditlog.View, keep, counted time.Duration) (*auditlog.CheckpointAt, error) {
	var id uint64
	found := false
	for m, err := range marks(ctx, v) {
		if err != nil {
			return nil, err
		}
		if counted-millis(m.GetCountedMs()) < keep {
			break
		}
		id, found = m.GetCheckpointId(), true
	}
	if !found {
		return nil, nil //nolint:nilnil // absence is an answer here
	}
	c, err := v.Checkpoint(id)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint that a retention mark names: %w", err)
	}
	return &c, nil
}

// agedByLedger returns the newest checkpoint whose receipt is of a ledger that
// closed the keep time before now, and newer than the checkpoint first; nil if
// there is none. Receipts are of ever later ledgers.
func agedByLedger(ctx context.Context, v *auditlog.View, keep time.Duration, now time.Time, first uint64) (*auditlog.CheckpointAt, error) {
	newest, err := anchor.NewestReceipt(v)
	if err != nil || newest == nil || newest.GetCheckpointId() < first {
		return nil, err
	}
	limit := now.Add(-keep)
	var aged *anchorv1.Receipt
	sort.Search(int(newest.GetCheckpointId()-first)+1, func(i int) bool {
		r, e := receiptFrom(ctx, v, first+uint64(i))
		if e != nil || r == nil {
			err = errors.Join(err, e)
			return true
		}
		young := time.Unix(r.GetClosedAt(), 0).After(limit)
		if !young && (aged == nil || r.GetCheckpointId() > aged.GetCheckpointId()) {
			aged = r
		}
		return young
	})
	if err != nil || aged == nil {
		return nil, err
	}
	return covered(v, aged)
}

// receiptFrom is the receipt of a checkpoint, or the next one, which covers it.
func receiptFrom(ctx context.Context, v *auditlog.View, id uint64) (*anchorv1.Receipt, error) {
	for r, err := range anchor.Receipts(ctx, v, id) {
		return r, err
	}
	return nil, nil //nolint:nilnil // absence is an answer here
}

// ErrReceipt says that a receipt is not of this log.
var ErrReceipt = errors.New("its receipt is not of this log")

// covered is the checkpoint that a receipt is of.
func covered(v *auditlog.View, r *anchorv1.Receipt) (*auditlog.CheckpointAt, error) {
	c, err := v.Checkpoint(r.GetCheckpointId())
	if err != nil {
		return nil, fmt.Errorf("read checkpoint of a receipt: %w", err)
	}
	where := v.Genesis().GetAnchor()
	id := v.ID()
	if !bytes.Equal(r.GetLogId(), id[:]) || !bytes.Equal(r.GetRoot(), c.Root[:]) || r.GetOffset() != c.Offset ||
		r.GetContract() != where.GetContract() || r.GetNetwork() != where.GetNetwork() {
		return nil, fmt.Errorf("checkpoint %d at offset %d: %w: nothing is pruned; verbatim verify --receipts says more", r.GetCheckpointId(), c.Offset, ErrReceipt)
	}
	return &c, nil
}

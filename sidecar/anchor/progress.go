package anchor

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	"verbatim/sidecar/auditlog"
)

// Progress is how far a log's checkpoints have come, by what the log itself keeps.
type Progress struct {
	// Checkpoints is how many are sealed.
	Checkpoints uint64
	// Newest is the newest receipt, nil if there is none: its checkpoint and all
	// before it are covered.
	Newest *anchorv1.Receipt
	// Submission may be in a ledger or get into one; nil if nothing is under way.
	Submission *anchorv1.Submission
	// Pending are the checkpoints that no receipt covers, in order.
	Pending []auditlog.CheckpointAt
}

// ReadProgress reads how far a log's checkpoints have come. It costs an entry for
// each pending checkpoint.
func ReadProgress(ctx context.Context, v *auditlog.View) (*Progress, error) {
	p := &Progress{}
	var err error
	if p.Newest, err = NewestReceipt(v); err != nil {
		return nil, err
	}
	if p.Submission, err = readSubmission(v); err != nil {
		return nil, err
	}
	next := p.covered()
	if p.Pending, err = v.Checkpoints(ctx, next); err != nil {
		return nil, fmt.Errorf("read pending checkpoints: %w", err)
	}
	p.Checkpoints = next + uint64(len(p.Pending))
	return p, nil
}

// covered is how many checkpoints receipts cover.
func (p *Progress) covered() uint64 {
	if p.Newest == nil {
		return 0
	}
	return p.Newest.GetCheckpointId() + 1
}

// NewestReceipt returns the receipt of the newest checkpoint that has one; nil if
// none has.
func NewestReceipt(v *auditlog.View) (*anchorv1.Receipt, error) {
	last, found, err := v.LastRecord(prefixReceipts)
	if err != nil || !found {
		return nil, err
	}
	r := &anchorv1.Receipt{}
	if err := proto.Unmarshal(last.Value, r); err != nil {
		return nil, fmt.Errorf("read anchor receipt: %w: %w", auditlog.ErrDamaged, err)
	}
	return r, nil
}

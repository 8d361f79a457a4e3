package admin

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	auditv1 "verbatim/proto/verbatim/audit/v1"
)

// AnchorNow publishes the newest root and waits for its receipt.
func (s *service) AnchorNow(ctx context.Context, _ *auditv1.AnchorNowRequest) (*auditv1.AnchorNowResponse, error) {
	if s.Anchor == nil {
		return nil, status.Error(codes.FailedPrecondition, "this verbatim serve publishes no roots: set anchor.rpc, its key and anchor.max_fee")
	}
	receipt, err := s.Anchor.AnchorNow(ctx)
	if err != nil {
		// Whatever it is, the root stays pending and is tried again.
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	return &auditv1.AnchorNowResponse{Receipt: receipt}, nil
}

// anchorStatus is nil if this process publishes no roots.
func (s *service) anchorStatus() *auditv1.AnchorStatus {
	if s.Anchor == nil {
		return nil
	}
	now, where := s.Anchor.Status(), s.Anchor.Where()
	r := &auditv1.AnchorStatus{
		Network: where.GetNetwork(), Contract: where.GetContract(), Writer: where.GetWriter(),
		Checkpoints: now.Checkpoints, Pending: now.Pending, NewestReceipt: now.Anchored,
		TransactionHash: now.Submission.GetTransactionHash(), FailureKind: now.FailureKind(), Alarm: now.Alarm,
	}
	if now.Failure != nil {
		r.Failure = now.Failure.Error()
	}
	if !now.OldestPending.IsZero() {
		r.OldestPendingMs = uint64(now.OldestPending.UnixMilli())
	}
	return r
}

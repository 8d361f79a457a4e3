package admin

import (
	"bytes"
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/retention"
)

// AddHold answers when the hold is durable.
func (s *service) AddHold(ctx context.Context, r *auditv1.AddHoldRequest) (*auditv1.AddHoldResponse, error) {
	if err := s.meant(r.GetLogId()); err != nil {
		return nil, err
	}
	added, first, err := s.Retention.AddHoldSynced(ctx, r.GetHold())
	if err != nil {
		return nil, retentionError(err)
	}
	return &auditv1.AddHoldResponse{Hold: added, FirstOffset: first}, nil
}

// RemoveHold answers when the hold is durably gone.
func (s *service) RemoveHold(ctx context.Context, r *auditv1.RemoveHoldRequest) (*auditv1.RemoveHoldResponse, error) {
	if err := s.meant(r.GetLogId()); err != nil {
		return nil, err
	}
	removed, err := s.Retention.RemoveHoldSynced(ctx, r.GetId())
	if err != nil {
		return nil, retentionError(err)
	}
	return &auditv1.RemoveHoldResponse{Hold: removed}, nil
}

// ForeseePrune says what PruneNow would prune.
func (s *service) ForeseePrune(ctx context.Context, r *auditv1.ForeseePruneRequest) (*auditv1.ForeseePruneResponse, error) {
	if err := s.meant(r.GetLogId()); err != nil {
		return nil, err
	}
	p, err := s.Retention.Foresee(ctx)
	if err != nil {
		return nil, retentionError(err)
	}
	return &auditv1.ForeseePruneResponse{Plan: p.Message(s.Retention.Status().Keep)}, nil
}

// PruneNow answers when what may go is gone.
func (s *service) PruneNow(ctx context.Context, r *auditv1.PruneNowRequest) (*auditv1.PruneNowResponse, error) {
	if err := s.meant(r.GetLogId()); err != nil {
		return nil, err
	}
	done, err := s.Retention.PruneNow(ctx)
	if err != nil {
		return nil, retentionError(err)
	}
	return &auditv1.PruneNowResponse{Done: done.Message()}, nil
}

// meant refuses a caller who means another log than this process writes.
func (s *service) meant(logID []byte) error {
	if id := s.Log.ID(); !bytes.Equal(logID, id[:]) {
		return status.Errorf(codes.FailedPrecondition, "this port serves log %s, the call is for %x", id, logID)
	}
	return nil
}

func retentionError(err error) error {
	switch {
	case errors.Is(err, retention.ErrHold):
		return status.Error(codes.InvalidArgument, err.Error())
	case errors.Is(err, retention.ErrNoHold):
		return status.Error(codes.NotFound, err.Error())
	case errors.Is(err, retention.ErrStopped):
		return status.Error(codes.Unavailable, err.Error())
	}
	return statusOf(err)
}

func (s *service) retentionStatus() *auditv1.RetentionStatus {
	now := s.Retention.Status()
	r := &auditv1.RetentionStatus{
		KeepMs: uint64(now.Keep.Milliseconds()), FirstOffset: now.First, Held: retention.HeldMessages(now.Held),
		UnderWay: now.UnderWay, WaitsFor: now.WaitsFor,
	}
	if now.Failure != nil {
		r.Failure = now.Failure.Error()
	}
	return r
}

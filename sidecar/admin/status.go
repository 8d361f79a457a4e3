package admin

import (
	"context"
	"errors"
	"fmt"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/auditlog"
)

// GetStatus says what the sidecar does now, also while the log can't be read.
func (s *service) GetStatus(ctx context.Context, _ *auditv1.GetStatusRequest) (*auditv1.GetStatusResponse, error) {
	id := s.Log.ID()
	r := &auditv1.GetStatusResponse{
		LogId: id[:], Writable: true, Profile: s.Profile, Ordering: s.Ordering,
		CapturedAddresses: s.Captured(), Gaps: s.Gaps(), Anchor: s.anchorStatus(), Retention: s.retentionStatus(),
	}
	down := s.Log.Writable()
	v, err := s.Log.View()
	if err == nil {
		defer v.Close()
		err = readStatus(ctx, v, r)
	}
	if down == nil && errors.Is(err, auditlog.ErrNotWritable) {
		down = err
	}
	if down != nil {
		r.Writable, r.NotWritableReason = false, down.Error()
		return r, nil
	}
	return r, statusOf(err)
}

// readStatus fills in what the log itself knows.
func readStatus(ctx context.Context, v *auditlog.View, r *auditv1.GetStatusResponse) error {
	last, err := v.OpenWindow(ctx)
	if err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	tip := v.Tip()
	r.Entries, r.ChainRoot = tip.Offset+1, tip.Hash[:]
	r.Checkpoints, r.OpenRequests = last.Checkpoints, uint64(len(last.Open))
	return nil
}

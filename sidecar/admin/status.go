package admin

import (
	"context"
	"errors"
	"fmt"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/gaps"
)

// GetStatus says what the sidecar does now, also while the log can't be read.
func (s *service) GetStatus(ctx context.Context, _ *auditv1.GetStatusRequest) (*auditv1.GetStatusResponse, error) {
	r := &auditv1.GetStatusResponse{
		Writable: true, CapturedAddresses: s.Captured(), Anchor: s.anchorStatus(), Retention: s.retentionStatus(),
		InFlightBytes: uint64(s.Room.Taken()), InFlightLimitBytes: uint64(s.Room.Limit()), Losses: &auditv1.Losses{},
	}
	down := s.Log.Writable()
	v, err := s.Log.View()
	// At the same moment as the view: what it has not is here.
	untold := lossMessages(s.Untold())
	if err == nil {
		defer v.Close()
		err = readStatus(ctx, v, &s.gaps, r)
	}
	id := s.Log.ID()
	r.LogId, r.Profile, r.Ordering, r.Position = id[:], s.Profile, s.Ordering, s.Position
	r.Losses.Unrecorded = untold
	if down == nil && errors.Is(err, auditlog.ErrNotWritable) {
		down = err
	}
	if down != nil {
		r.Writable, r.NotWritableReason = false, down.Error()
		return r, nil
	}
	return r, statusOf(err)
}

// ReadStatus says of a log that no process writes what GetStatus does of one that is
// written, as far as the log tells: profile, ordering and position are those under
// which was recorded last. Errors: ErrDamaged, ctx's.
func ReadStatus(ctx context.Context, v *auditlog.View) (*auditv1.GetStatusResponse, error) {
	id := v.ID()
	r := &auditv1.GetStatusResponse{LogId: id[:], Losses: &auditv1.Losses{}}
	_, start, err := v.StartBefore(ctx, v.Tip().Offset)
	if err != nil {
		return nil, fmt.Errorf("read status: %w", err)
	}
	r.Profile, r.Ordering, r.Position = start.GetProfile(), start.GetOrdering(), start.GetPosition()
	return r, readStatus(ctx, v, &gaps.Sum{}, r)
}

// readStatus fills in what the log itself tells.
func readStatus(ctx context.Context, v *auditlog.View, sum *gaps.Sum, r *auditv1.GetStatusResponse) error {
	last, err := v.OpenWindow(ctx)
	if err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	sealed, err := newestCheckpoint(v)
	if err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	recorded, from, err := sum.Read(ctx, v)
	if err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	tip := v.Tip()
	r.Entries, r.ChainRoot = tip.Offset+1, tip.Hash[:]
	r.Checkpoints, r.OpenRequests, r.NewestCheckpoint = last.Checkpoints, uint64(len(last.Open)), sealed
	r.Losses.Recorded, r.Losses.FromOffset = lossMessages(recorded), from
	return nil
}

// newestCheckpoint is nil where nothing is sealed yet.
func newestCheckpoint(v *auditlog.View) (*auditv1.CheckpointStatus, error) {
	c, err := v.LastCheckpoint()
	if err != nil || c == nil {
		return nil, err
	}
	sealed := &auditv1.CheckpointStatus{
		CheckpointId: c.Checkpoint.GetCheckpointId(), StreamOffset: c.Offset, WallClockMs: c.ClockMS, Root: c.Root[:],
	}
	if v.Genesis().GetAnchor() == nil {
		return sealed, nil
	}
	receipt, err := anchor.NewestReceipt(v)
	if err != nil {
		return nil, err
	}
	covered := receipt != nil && receipt.GetCheckpointId() >= sealed.GetCheckpointId()
	sealed.Anchored = &covered
	return sealed, nil
}

func lossMessages(losses []gaps.Loss) []*auditv1.Loss {
	var list []*auditv1.Loss
	for _, l := range losses {
		list = append(list, &auditv1.Loss{
			Witness: l.Witness, Reason: l.Reason, Exchanges: l.Exchanges,
			SinceMs: uint64(l.Since.UnixMilli()), UntilMs: uint64(l.Until.UnixMilli()),
		})
	}
	return list
}

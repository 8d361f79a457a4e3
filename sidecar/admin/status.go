package admin

import (
	"context"
	"errors"
	"fmt"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// GetStatus says what the sidecar does now, also while the log can't be read.
func (s *service) GetStatus(ctx context.Context, _ *auditv1.GetStatusRequest) (*auditv1.GetStatusResponse, error) {
	id := s.Log.ID()
	r := &auditv1.GetStatusResponse{
		LogId: id[:], Writable: true, Profile: s.Profile, Ordering: s.Ordering,
		CapturedAddresses: s.Captured(), Gaps: s.Gaps(), Anchor: s.anchorStatus(),
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
	last, err := readOpenWindow(ctx, v)
	if err != nil {
		return err
	}
	tip := v.Tip()
	r.Entries, r.ChainRoot = tip.Offset+1, tip.Hash[:]
	r.Checkpoints, r.OpenRequests = last.checkpoints, uint64(len(last.open))
	return nil
}

// openWindow is what the newest entries say of the whole log.
type openWindow struct {
	sealed      bool // a checkpoint was seen
	checkpoints uint64
	open        map[uint64]struct{} // requests without an outcome
}

// readOpenWindow reads the last entries, no more than a full window has: the
// newest checkpoint, which names the requests open then, is among them.
func readOpenWindow(ctx context.Context, v *auditlog.View) (*openWindow, error) {
	tip, interval := v.Tip().Offset, v.Genesis().GetCheckpointInterval()
	from := uint64(0)
	if tip > interval {
		from = tip - interval
	}
	w := &openWindow{open: map[uint64]struct{}{}}
	for e, err := range v.Entries(ctx, from, tip) {
		if err != nil {
			return nil, err
		}
		if err := w.add(e); err != nil {
			return nil, err
		}
	}
	if from > 0 && !w.sealed {
		return nil, fmt.Errorf("read status: %w: entries %d to %d hold no checkpoint", auditlog.ErrDamaged, from, tip)
	}
	return w, nil
}

// add takes the next entry; only outcomes and checkpoints have to be decoded.
func (w *openWindow) add(e auditlog.Entry) error {
	kind, _, err := auditlog.Peek(e.Raw)
	if err != nil {
		return fmt.Errorf("read status: %w: entry %d: %w", auditlog.ErrDamaged, e.Offset, err)
	}
	switch kind {
	case auditlog.KindRequest:
		w.open[e.Offset] = struct{}{}
		return nil
	case auditlog.KindResponse, auditlog.KindAbort, auditlog.KindCheckpoint:
	default:
		return nil
	}
	ev, err := e.Event()
	if err != nil {
		return fmt.Errorf("read status: %w: %w", auditlog.ErrDamaged, err)
	}
	switch k := ev.GetKind().(type) {
	case *logv1.Event_Response:
		delete(w.open, k.Response.GetRequestOffset())
	case *logv1.Event_Abort:
		delete(w.open, k.Abort.GetRequestOffset())
	case *logv1.Event_Checkpoint:
		w.seal(k.Checkpoint)
	}
	return nil
}

func (w *openWindow) seal(c *logv1.Checkpoint) {
	w.sealed, w.checkpoints = true, c.GetCheckpointId()+1
	clear(w.open)
	for _, o := range c.GetOpenRequests() {
		w.open[o] = struct{}{}
	}
}

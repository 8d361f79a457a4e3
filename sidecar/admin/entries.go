package admin

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/query"
	"verbatim/sidecar/secret"
)

// QueryEntries streams the selected entries.
func (s *service) QueryEntries(r *auditv1.QueryEntriesRequest, stream grpc.ServerStreamingServer[auditv1.QueryEntriesResponse]) error {
	selected, err := selectionOf(r)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	v, err := s.Log.View()
	if err != nil {
		return statusOf(err)
	}
	defer v.Close()
	if r.GetReveal() {
		s.Logger.Info("entries are shown with their secrets", "to", caller(stream.Context()))
	}
	cursors := selected.Cursors(v.ID())
	for e, err := range query.Select(stream.Context(), v, selected) {
		if err != nil {
			return statusOf(err)
		}
		shown, err := show(e, r.GetReveal())
		if err != nil {
			return statusOf(err)
		}
		shown.Cursor = cursors.After(e.Offset)
		if err := stream.Send(shown); err != nil {
			return err
		}
	}
	return nil
}

// caller is who asks, as far as the connection tells.
func caller(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return ""
}

// selectionOf reads a request. Its error says what is wrong with it.
func selectionOf(r *auditv1.QueryEntriesRequest) (selected query.Selection, err error) {
	selected.Limit, selected.Cursor = r.GetLimit(), r.GetCursor()
	switch r.GetOrder() {
	case auditv1.Order_ORDER_UNSPECIFIED, auditv1.Order_ORDER_OLDEST_FIRST:
	case auditv1.Order_ORDER_NEWEST_FIRST:
		selected.Order = query.NewestFirst
	default:
		return selected, fmt.Errorf("read order: there is none with the number %d", r.GetOrder())
	}
	p := r.GetSelection()
	if p == nil {
		return selected, nil
	}
	selected.Start, selected.End, selected.Meters = p.StartOffset, p.EndOffset, p.GetMeterIds()
	selected.FromMS, selected.ToMS = p.FromMs, p.ToMs
	if selected.Kinds, err = query.ParseKinds(p.GetKinds()); err != nil {
		return selected, fmt.Errorf("read kinds: %w", err)
	}
	if selected.Statuses, err = query.ParseStatuses(p.GetStatuses()); err != nil {
		return selected, fmt.Errorf("read statuses: %w", err)
	}
	return selected, nil
}

// show is an entry as it may be seen: with its secrets only if it was asked to
// reveal them.
func show(e auditlog.Entry, reveal bool) (*auditv1.QueryEntriesResponse, error) {
	ev, err := e.Event()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", auditlog.ErrDamaged, err)
	}
	hash, event := e.Hash(), e.EventHash()
	shown := &auditv1.QueryEntriesResponse{
		StreamOffset: e.Offset, EventHash: event[:], PrevEntryHash: e.PrevEntryHash[:], EntryHash: hash[:],
	}
	if reveal {
		shown.Event, shown.RawEventBytes = ev, e.Raw
	} else {
		shown.Event = secret.Redacted(ev)
	}
	return shown, nil
}

// ListCheckpoints streams the checkpoints from an id on.
func (s *service) ListCheckpoints(r *auditv1.ListCheckpointsRequest, stream grpc.ServerStreamingServer[auditv1.ListCheckpointsResponse]) error {
	v, err := s.Log.View()
	if err != nil {
		return statusOf(err)
	}
	defer v.Close()
	list, err := v.Checkpoints(stream.Context(), r.GetFromId())
	if err != nil {
		return statusOf(err)
	}
	for _, c := range list {
		if err := stream.Send(&auditv1.ListCheckpointsResponse{
			StreamOffset: c.Offset, WallClockMs: c.ClockMS, Root: c.Root[:], Checkpoint: c.Checkpoint,
		}); err != nil {
			return err
		}
	}
	return nil
}

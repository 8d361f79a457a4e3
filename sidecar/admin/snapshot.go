package admin

import (
	"context"
	"path/filepath"

	"google.golang.org/grpc"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/auditlog"
)

// HoldSnapshot makes a copy of the log and keeps it until the call ends.
func (s *service) HoldSnapshot(_ *auditv1.HoldSnapshotRequest, stream grpc.ServerStreamingServer[auditv1.HoldSnapshotResponse]) error {
	dir, err := s.Log.Snapshot()
	if err != nil {
		return statusOf(err)
	}
	defer func() {
		if err := auditlog.RemoveSnapshot(dir); err != nil {
			s.Logger.Warn("snapshot stays until the log is opened again", "err", err)
		}
	}()
	path, err := filepath.Abs(dir)
	if err != nil {
		return statusOf(err)
	}
	if err := stream.Send(&auditv1.HoldSnapshotResponse{Path: path, CapturedAddresses: s.Captured()}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return statusOf(context.Cause(stream.Context()))
}

package admin

import (
	"context"
	"errors"
	"net"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/replay"
	"verbatim/replay/target"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/gaps"
	"verbatim/sidecar/query"
)

// service implements AuditService. Each call reads a View of its own.
type service struct {
	auditv1.UnimplementedAuditServiceServer
	Options
	busy busy
	gaps gaps.Sum
}

// answered are the errors by which a caller can decide, and their codes.
var answered = []struct {
	err  error
	code codes.Code
}{
	{errStopping, codes.Unavailable},
	{context.Canceled, codes.Canceled},
	{context.DeadlineExceeded, codes.DeadlineExceeded},
	{query.ErrSelection, codes.InvalidArgument},
	{query.ErrCursor, codes.InvalidArgument},
	{query.ErrRange, codes.OutOfRange},
	{replay.ErrCaptured, codes.FailedPrecondition},
	{target.ErrAddress, codes.FailedPrecondition},
	{auditlog.ErrReopened, codes.Unavailable},
	{auditlog.ErrNotWritable, codes.Unavailable},
	{auditlog.ErrClosed, codes.Unavailable},
	{auditlog.ErrDamaged, codes.DataLoss},
}

// statusOf is an error as gRPC carries it: the first code that fits, and the
// error's sentence.
func statusOf(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	for _, a := range answered {
		if errors.Is(err, a.err) {
			return status.Error(a.code, err.Error())
		}
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return status.Error(codes.Unavailable, err.Error())
	}
	return status.Error(codes.Internal, err.Error())
}

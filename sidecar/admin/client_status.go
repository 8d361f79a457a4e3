package admin

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/chain"
)

// statusTimeout bounds a status: of a log with very many Gap entries the first one of
// a process takes seconds.
const statusTimeout = time.Minute

// Status asks the process that writes the log what it does now. Errors: ErrNoAddress,
// ErrNoAnswer, ErrOtherLog, or what that process says.
func Status(ctx context.Context, logDir string) (*auditv1.GetStatusResponse, error) {
	conn, addr, id, err := dial(logDir)
	if err != nil {
		return nil, fmt.Errorf("ask for the status of %s: %w", logDir, err)
	}
	defer conn.Close() //nolint:errcheck // nothing was written
	r, err := statusFrom(ctx, conn, id)
	if err != nil {
		return nil, fmt.Errorf("ask %s for the status of %s: %w", addr, logDir, err)
	}
	return r, nil
}

// statusFrom asks who answers, and refuses whoever writes another log.
func statusFrom(ctx context.Context, conn *grpc.ClientConn, id chain.Hash) (*auditv1.GetStatusResponse, error) {
	bounded, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	r, err := auditv1.NewAuditServiceClient(conn).GetStatus(bounded, &auditv1.GetStatusRequest{})
	switch {
	case err != nil && bounded.Err() != nil && ctx.Err() == nil:
		return nil, fmt.Errorf("%w within %s", ErrNoAnswer, statusTimeout)
	case err != nil:
		return nil, orNoAnswer(conn, err)
	case !bytes.Equal(r.GetLogId(), id[:]):
		return nil, fmt.Errorf("%w: it writes %x, and the file %s was left by one that wrote %s", ErrOtherLog, r.GetLogId(), addressFile, id)
	}
	return r, nil
}

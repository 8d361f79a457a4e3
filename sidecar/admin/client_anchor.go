package admin

import (
	"bytes"
	"context"
	"fmt"

	"google.golang.org/grpc/status"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	auditv1 "verbatim/proto/verbatim/audit/v1"
)

// AnchorNow asks the process that writes the log to publish its newest root, and
// returns after the receipt is durable; nil if there is no checkpoint yet. Errors:
// ErrNoAddress, or what that process says.
func AnchorNow(ctx context.Context, logDir string) (*anchorv1.Receipt, error) {
	conn, addr, err := dial(logDir)
	if err != nil {
		return nil, fmt.Errorf("ask for an anchor of %s: %w", logDir, err)
	}
	defer conn.Close() //nolint:errcheck // nothing was written
	r, err := auditv1.NewAuditServiceClient(conn).AnchorNow(ctx, &auditv1.AnchorNowRequest{})
	if err != nil {
		return nil, fmt.Errorf("ask %s for an anchor of %s: %s", addr, logDir, status.Convert(err).Message())
	}
	return r.GetReceipt(), nil
}

// AnchorStatus asks the process that writes the log with this id how far its roots
// are published; nil if it publishes none. Errors: ErrNoAddress, ErrOtherLog, or
// what that process says.
func AnchorStatus(ctx context.Context, logDir string, logID []byte) (*auditv1.AnchorStatus, error) {
	conn, addr, err := dial(logDir)
	if err != nil {
		return nil, fmt.Errorf("ask for the status of %s: %w", logDir, err)
	}
	defer conn.Close() //nolint:errcheck // nothing was written
	r, err := auditv1.NewAuditServiceClient(conn).GetStatus(ctx, &auditv1.GetStatusRequest{})
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask %s for the status of %s: %s", addr, logDir, status.Convert(err).Message())
	case !bytes.Equal(r.GetLogId(), logID):
		return nil, fmt.Errorf("ask %s for the status of %s: %w", addr, logDir, ErrOtherLog)
	}
	return r.GetAnchor(), nil
}

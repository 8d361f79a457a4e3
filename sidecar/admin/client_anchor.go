package admin

import (
	"context"
	"fmt"

	"google.golang.org/grpc/status"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	auditv1 "verbatim/proto/verbatim/audit/v1"
)

// AnchorNow asks the process that writes the log to publish its newest root, and
// returns after the receipt is durable; nil if there is no checkpoint yet. Errors:
// ErrNoAddress, ErrNoAnswer, ErrOtherLog, or what that process says.
func AnchorNow(ctx context.Context, logDir string) (*anchorv1.Receipt, error) {
	conn, addr, id, err := dial(logDir)
	if err != nil {
		return nil, fmt.Errorf("ask for an anchor of %s: %w", logDir, err)
	}
	defer conn.Close() //nolint:errcheck // nothing was written
	// The call doesn't say which log is meant, and it costs its owner money.
	if _, err := statusFrom(ctx, conn, id); err != nil {
		return nil, fmt.Errorf("ask %s for an anchor of %s: %w", addr, logDir, err)
	}
	r, err := auditv1.NewAuditServiceClient(conn).AnchorNow(ctx, &auditv1.AnchorNowRequest{})
	if err != nil {
		return nil, fmt.Errorf("ask %s for an anchor of %s: %s", addr, logDir, status.Convert(err).Message())
	}
	return r.GetReceipt(), nil
}

package admin

import (
	"bytes"
	"context"
	"fmt"
	"time"

	auditv1 "verbatim/proto/verbatim/audit/v1"
)

// statusTimeout bounds a status: of a log with very many Gap entries the first one of
// a process takes seconds.
const statusTimeout = time.Minute

// Status asks the process that writes the log what it does now. logID is the log that
// is meant; nil: whichever that process writes, as the answer says. Errors:
// ErrNoAddress, ErrNoAnswer, ErrOtherLog, or what that process says.
func Status(ctx context.Context, logDir string, logID []byte) (*auditv1.GetStatusResponse, error) {
	conn, addr, err := dial(logDir)
	if err != nil {
		return nil, fmt.Errorf("ask for the status of %s: %w", logDir, err)
	}
	defer conn.Close() //nolint:errcheck // nothing was written
	bounded, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	r, err := auditv1.NewAuditServiceClient(conn).GetStatus(bounded, &auditv1.GetStatusRequest{})
	switch {
	case err != nil && bounded.Err() != nil && ctx.Err() == nil:
		err = fmt.Errorf("%w within %s", ErrNoAnswer, statusTimeout)
	case err != nil:
		err = orNoAnswer(conn, err)
	case logID != nil && !bytes.Equal(r.GetLogId(), logID):
		err = ErrOtherLog
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s for the status of %s: %w", addr, logDir, err)
	}
	return r, nil
}

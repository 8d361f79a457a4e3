package admin

import (
	"context"
	"fmt"

	"google.golang.org/grpc/status"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	retentionv1 "verbatim/proto/verbatim/retention/v1"
)

// AddHold asks the process that writes the log with this id to add a hold, and
// returns after it is durable, with the first offset that was still there. Errors:
// ErrNoAddress, or what that process says.
func AddHold(ctx context.Context, logDir string, logID []byte, h *retentionv1.Hold) (added *retentionv1.Hold, first uint64, err error) {
	err = call(ctx, logDir, "a hold on", maybeHeld, func(c auditv1.AuditServiceClient) error {
		r, err := c.AddHold(ctx, &auditv1.AddHoldRequest{LogId: logID, Hold: h})
		added, first = r.GetHold(), r.GetFirstOffset()
		return err
	})
	return added, first, err
}

// RemoveHold asks the process that writes the log with this id to remove a hold, and
// returns it after it is durably gone. Errors: ErrNoAddress, or what that process says.
func RemoveHold(ctx context.Context, logDir string, logID []byte, holdID string) (removed *retentionv1.Hold, err error) {
	err = call(ctx, logDir, "the removal of a hold on", maybeHeld, func(c auditv1.AuditServiceClient) error {
		r, err := c.RemoveHold(ctx, &auditv1.RemoveHoldRequest{LogId: logID, Id: holdID})
		removed = r.GetHold()
		return err
	})
	return removed, err
}

// ForeseePrune asks the process that writes the log with this id what it would
// prune. Errors: ErrNoAddress, or what that process says.
func ForeseePrune(ctx context.Context, logDir string, logID []byte) (plan *retentionv1.Plan, err error) {
	err = call(ctx, logDir, "the plan of pruning", "", func(c auditv1.AuditServiceClient) error {
		r, err := c.ForeseePrune(ctx, &auditv1.ForeseePruneRequest{LogId: logID})
		plan = r.GetPlan()
		return err
	})
	return plan, err
}

// PruneNow asks the process that writes the log with this id to prune, and returns
// when what may go is gone. Errors: ErrNoAddress, or what that process says.
func PruneNow(ctx context.Context, logDir string, logID []byte) (done *retentionv1.Done, err error) {
	err = call(ctx, logDir, "pruning of", maybePruned, func(c auditv1.AuditServiceClient) error {
		r, err := c.PruneNow(ctx, &auditv1.PruneNowRequest{LogId: logID})
		done = r.GetDone()
		return err
	})
	return done, err
}

// What a caller who gives up can't know: the process that was asked may go on.
const (
	maybeHeld   = "; look with verbatim hold list whether it is there"
	maybePruned = "; what is in the chain already goes on"
)

// call asks the process that writes the log one thing. maybe is said if the caller gives
// up before the answer.
func call(ctx context.Context, logDir, what, maybe string, ask func(auditv1.AuditServiceClient) error) error {
	conn, addr, _, err := dial(logDir)
	if err != nil {
		return fmt.Errorf("ask for %s %s: %w", what, logDir, err)
	}
	defer conn.Close() //nolint:errcheck // nothing was written
	if err := ask(auditv1.NewAuditServiceClient(conn)); err != nil {
		if ctx.Err() == nil {
			maybe = ""
		}
		return fmt.Errorf("ask %s for %s %s: %s%s", addr, what, logDir, status.Convert(err).Message(), maybe)
	}
	return nil
}

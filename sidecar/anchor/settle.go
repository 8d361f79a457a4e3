package anchor

import (
	"context"
	"errors"
	"fmt"
	"time"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/stellar"
)

// pollInterval is between two questions about a transaction: a ledger closes about
// every five seconds.
const pollInterval = time.Second

// settle finds out what became of a submission, sending it as often as it takes,
// always the same bytes. It returns nil after the receipt is durable. After
// another end the submission is gone, and the error says why; while that can't
// be told, the submission stays and the error is of the question.
func (w *Worker) settle(ctx context.Context, s *anchorv1.Submission, p *Progress) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		out, err := w.o.Client.Outcome(ctx, [32]byte(s.GetTransactionHash()))
		switch {
		case err != nil:
			return fmt.Errorf("ask what became of the commit of checkpoint %d: %w", s.GetCheckpointId(), err)
		case out.Status == stellar.Success:
			return w.confirmSynced(ctx, s, out, p)
		case out.Status == stellar.Failed:
			w.paid(out.FeeCharged)
			return w.giveUp(ctx, s, fmt.Errorf("commit of checkpoint %d failed in ledger %d: %w", s.GetCheckpointId(), out.Ledger, out.Err))
		case out.LatestClosedAt.Unix() > s.GetValidUntil():
			return w.giveUp(ctx, s, fmt.Errorf("commit of checkpoint %d: %w", s.GetCheckpointId(), stellar.ErrExpired))
		}
		err = w.o.Client.Send(ctx, s.GetEnvelope())
		switch {
		case err == nil, errors.Is(err, stellar.ErrTryAgainLater):
		case stellar.Rejected(err):
			return w.giveUp(ctx, s, fmt.Errorf("send commit of checkpoint %d: %w", s.GetCheckpointId(), err))
		default:
			return fmt.Errorf("send commit of checkpoint %d: %w", s.GetCheckpointId(), err)
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the commit of checkpoint %d: %w", s.GetCheckpointId(), context.Cause(ctx))
		}
	}
}

// confirmSynced returns after the receipt is durable.
func (w *Worker) confirmSynced(ctx context.Context, s *anchorv1.Submission, out stellar.Outcome, p *Progress) error {
	r := w.receipt(s.GetOffset(), s.GetCheckpointId(), chain.Hash(s.GetRoot()), s.GetTimestampMs(), p.covered())
	r.Ledger, r.ClosedAt = out.Ledger, out.ClosedAt.Unix()
	r.TransactionHash, r.Envelope, r.Result = s.GetTransactionHash(), out.Envelope, out.Result
	r.FeeCharged = out.FeeCharged
	w.paid(out.FeeCharged)
	if err := keepReceiptSynced(ctx, w.keep, r); err != nil {
		return err
	}
	w.o.Logger.Info("checkpoint anchored", "checkpoint", r.GetCheckpointId(), "covers_from", r.GetFirstCoveredId(),
		"offset", r.GetOffset(), "ledger", r.GetLedger(), "fee_stroops", r.GetFeeCharged())
	return nil
}

// giveUp ends a submission that did not get into a ledger, as far as the server
// tells: the contract has the last word. Returns cause once the submission is gone.
func (w *Worker) giveUp(ctx context.Context, s *anchorv1.Submission, cause error) error {
	roots, err := w.o.Contract.Roots(ctx, w.o.Log.ID(), []uint64{s.GetCheckpointId()})
	if err != nil {
		return errors.Join(cause, fmt.Errorf("ask contract for checkpoint %d: %w", s.GetCheckpointId(), err))
	}
	root, found := roots[s.GetCheckpointId()]
	switch {
	case !found:
		return errors.Join(cause, dropSubmissionSynced(ctx, w.keep))
	case root.Hash != [32]byte(s.GetRoot()):
		fork := &ForkError{CheckpointID: s.GetCheckpointId(), Local: chain.Hash(s.GetRoot()), Published: root.Hash}
		return errors.Join(fork, dropSubmissionSynced(ctx, w.keep))
	}
	// It is there. Whether by this transaction or an earlier one, adopt makes its
	// receipt if this one's outcome is still not told.
	out, err := w.o.Client.Outcome(ctx, [32]byte(s.GetTransactionHash()))
	if err == nil && out.Status == stellar.Success {
		p, err := w.progress(ctx)
		if err != nil {
			return err
		}
		return w.confirmSynced(ctx, s, out, p)
	}
	return dropSubmissionSynced(ctx, w.keep)
}

// readCheckpoint reads one checkpoint, nil if it is not in the view.
func readCheckpoint(v *auditlog.View, id uint64) (*auditlog.CheckpointAt, error) {
	c, err := v.Checkpoint(id)
	if errors.Is(err, auditlog.ErrNoEntry) {
		return nil, nil //nolint:nilnil // absence is an answer here
	}
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %d: %w", id, err)
	}
	return &c, nil
}

// ForkError says that the contract has a root of this log that this log does not have. The
// log was rewritten, restored from an older copy, or another copy of it records.
// Nothing is sent as long as it is so.
type ForkError struct {
	CheckpointID uint64
	// Local is this log's root, zero if it has no such checkpoint.
	Local chain.Hash
	// Published is the contract's.
	Published chain.Hash
}

func (e *ForkError) Error() string {
	if e.Local == (chain.Hash{}) {
		return fmt.Sprintf("the contract has a checkpoint %d of this log with root %s, which this log does not have: "+
			"it was restored from an older copy, cut off, or another copy of it records", e.CheckpointID, e.Published)
	}
	return fmt.Sprintf("the contract has root %s for checkpoint %d, this log has %s: it was rewritten, or another copy of it records",
		e.Published, e.CheckpointID, e.Local)
}

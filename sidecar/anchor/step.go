package anchor

import (
	"context"
	"fmt"
	"time"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/stellar"
)

// step finishes what is under way and then anchors the newest root, if that is due
// or forced. It returns how long until the next is due; again is false when only
// a new checkpoint makes it so.
func (w *Worker) step(ctx context.Context, force bool) (wait time.Duration, again bool, err error) {
	p, err := w.progress(ctx)
	if err != nil {
		return 0, false, err
	}
	if p.Submission != nil {
		if err := w.settle(ctx, p.Submission, p); err != nil {
			return 0, false, err
		}
		if p, err = w.progress(ctx); err != nil {
			return 0, false, err
		}
	}
	if len(p.Pending) == 0 {
		return 0, false, nil
	}
	wait, again = w.o.Schedule.wait(uint64(len(p.Pending)), w.oldestPending(p), w.lastAnchored(p), w.o.Now())
	if !force && (!again || wait > 0) {
		return wait, again, nil
	}
	if p, err = w.adopt(ctx, p); err != nil || len(p.Pending) == 0 {
		return 0, false, err
	}
	s, err := w.prepareSynced(ctx, p.Pending[len(p.Pending)-1])
	if err != nil {
		return 0, false, err
	}
	w.under(s)
	if err := w.settle(ctx, s, p); err != nil {
		return 0, false, err
	}
	_, err = w.progress(ctx)
	return 0, true, err // once more: checkpoints may have been sealed meanwhile
}

// progress reads the log's state and publishes it.
func (w *Worker) progress(ctx context.Context) (*Progress, error) {
	v, err := w.o.Log.View()
	if err != nil {
		return nil, err
	}
	defer v.Close()
	p, err := ReadProgress(ctx, v)
	if err == nil {
		w.publish(p)
	}
	return p, err
}

func clock(c auditlog.CheckpointAt) time.Time { return time.UnixMilli(int64(c.ClockMS)) }

// waited is one for which the schedule waits: a receipt, or a checkpoint.
type waited struct {
	id    uint64
	since time.Time // zero: none was seen yet
}

// from is since when the schedule waits for the one with an id: at, for one that was
// not seen before. It is never later than the local clock, whatever the ledger's or
// the log's says, or the local one said before it was put back: what waits for a
// moment that is years away would wait for ever.
func (s *waited) from(id uint64, at, now time.Time) time.Time {
	if s.since.IsZero() || s.id != id {
		s.id, s.since = id, at
	}
	if s.since.After(now) {
		s.since = now
	}
	return s.since
}

// lastAnchored is when the newest receipt was first seen, zero if there is none. Of
// one that was there before this process the ledger's time tells; of a later one it
// does not, for a local clock that is ahead of it would make each root due at once.
func (w *Worker) lastAnchored(p *Progress) time.Time {
	began := w.looked
	w.looked = true
	if p.Newest == nil {
		return time.Time{}
	}
	now := w.o.Now()
	at := now
	if !began {
		at = time.Unix(p.Newest.GetClosedAt(), 0)
	}
	return w.last.from(p.Newest.GetCheckpointId(), at, now)
}

// oldestPending is since when the oldest pending checkpoint waits; zero if none does.
func (w *Worker) oldestPending(p *Progress) time.Time {
	if len(p.Pending) == 0 {
		return time.Time{}
	}
	c := p.Pending[0]
	return w.oldest.from(c.Checkpoint.GetCheckpointId(), clock(c), w.o.Now())
}

// prepareSynced signs a commit of a checkpoint's root, and returns after it is kept
// durably. It sends nothing.
func (w *Worker) prepareSynced(ctx context.Context, c auditlog.CheckpointAt) (*anchorv1.Submission, error) {
	id := c.Checkpoint.GetCheckpointId()
	tx, err := w.o.Client.Prepare(ctx, w.o.Contract.Commit(w.o.Log.ID(), id, c.Root, c.ClockMS), w.o.Payment)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %d: %w", id, err)
	}
	s := &anchorv1.Submission{
		CheckpointId: id, Offset: c.Offset, Root: c.Root[:], TimestampMs: c.ClockMS,
		Payer: tx.Source, Sequence: tx.Sequence, TransactionHash: tx.Hash[:], Envelope: tx.Envelope,
		ValidUntil: tx.ValidUntil.Unix(), MaxFee: tx.MaxFee,
	}
	if err := keepSubmissionSynced(ctx, w.keep, s); err != nil {
		return nil, err
	}
	return s, nil
}

// adopt asks the contract what it has of this log before anything is sent. What it
// has and we have no receipt of gets one; what it has and we don't have is a fork.
func (w *Worker) adopt(ctx context.Context, p *Progress) (*Progress, error) {
	state, err := w.o.Contract.Log(ctx, w.o.Log.ID())
	if err != nil {
		return nil, fmt.Errorf("ask contract for the log's latest root: %w", err)
	}
	latest := state.Latest
	if latest == nil {
		return p, nil
	}
	mine, err := w.checkpoint(latest.CheckpointID)
	if err != nil {
		return nil, err
	}
	if mine == nil {
		return nil, &ForkError{CheckpointID: latest.CheckpointID, Published: latest.Hash}
	}
	if mine.Root != latest.Hash {
		return nil, &ForkError{CheckpointID: latest.CheckpointID, Local: mine.Root, Published: latest.Hash}
	}
	if latest.CheckpointID < p.covered() {
		return p, nil
	}
	if err := keepReceiptSynced(ctx, w.keep, w.observed(*mine, *latest, p.covered())); err != nil {
		return nil, err
	}
	return w.progress(ctx)
}

// checkpoint reads one checkpoint of the log, nil if it is not there.
func (w *Worker) checkpoint(id uint64) (*auditlog.CheckpointAt, error) {
	v, err := w.o.Log.View()
	if err != nil {
		return nil, err
	}
	defer v.Close()
	return readCheckpoint(v, id)
}

// observed is the receipt of a root that was found on the ledger, its transaction
// not known.
func (w *Worker) observed(c auditlog.CheckpointAt, r stellar.Root, firstCovered uint64) *anchorv1.Receipt {
	receipt := w.receipt(c.Offset, r.CheckpointID, c.Root, c.ClockMS, firstCovered)
	receipt.Ledger, receipt.ClosedAt = r.Ledger, r.ClosedAt.Unix()
	return receipt
}

func (w *Worker) receipt(offset, id uint64, root chain.Hash, timestampMS, firstCovered uint64) *anchorv1.Receipt {
	logID := w.o.Log.ID()
	return &anchorv1.Receipt{
		Network: w.o.Client.Passphrase(), Contract: w.o.Contract.ID(), LogId: logID[:], CheckpointId: id,
		Offset: offset, Root: root[:], TimestampMs: timestampMS, FirstCoveredId: firstCovered,
	}
}

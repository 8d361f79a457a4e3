package checkpoint

import (
	"context"
	"errors"
	"fmt"

	"verbatim/sidecar/auditlog"
)

// notesAtOnce bounds one write.
const notesAtOnce = 256

// signSome signs the oldest checkpoints that have no note, and returns how many
// are left once the notes are durable.
func (w *Worker) signSome(ctx context.Context) (left uint64, err error) {
	v, err := w.o.Log.View()
	if err != nil {
		return 0, err
	}
	records, next, left, err := w.notes(ctx, v)
	v.Close()
	if err != nil {
		return left, err
	}
	if len(records) > 0 {
		if err := w.keep.KeepSynced(ctx, records...); err != nil {
			// What did persist is found by the next attempt.
			return left + uint64(len(records)), err
		}
	}
	w.next = next
	return left, nil
}

// notes makes the notes of the oldest checkpoints that have none. next is the id of
// the first that was not looked at, left how many those are.
func (w *Worker) notes(ctx context.Context, v *auditlog.View) (records []auditlog.Record, next, left uint64, err error) {
	newest, err := agreed(ctx, v)
	if err != nil {
		return nil, 0, 0, err
	}
	next = w.next
	if newest != nil {
		next = max(next, newest.ID+1)
	}
	pending, err := v.Checkpoints(ctx, next)
	if err != nil {
		return nil, 0, 0, err
	}
	for len(pending) > 0 && len(records) < notesAtOnce {
		at := pending[0]
		keys, err := w.keysFor(ctx, v, at)
		if err != nil {
			return nil, 0, uint64(len(pending)), err
		}
		c := Of(v.ID(), at)
		if len(keys) > 0 {
			if err := inTree(ctx, v, c); err != nil {
				return nil, 0, uint64(len(pending)), err
			}
			raw, err := Sign(c, keys...)
			if err != nil {
				return nil, 0, uint64(len(pending)), err
			}
			records = append(records, auditlog.Record{Key: noteKey(c.ID), Value: raw})
		}
		pending, next = pending[1:], c.ID+1
	}
	return records, next, uint64(len(pending)), nil
}

// agreed returns the newest note that is kept, nil if there is none. It covers all
// entries before it, so that no other root can be signed for its size or a smaller
// one if the log agrees with it.
func agreed(ctx context.Context, v *auditlog.View) (*Note, error) {
	id, raw, err := Newest(v)
	if errors.Is(err, ErrNoNote) {
		return nil, nil //nolint:nilnil // absence is an answer here
	}
	if err != nil {
		return nil, err
	}
	n, err := Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("read note of checkpoint %d: %w", id, err)
	}
	at, err := v.Checkpoint(id)
	if err != nil && !errors.Is(err, auditlog.ErrNoEntry) {
		return nil, err
	}
	if err != nil || Of(v.ID(), at) != n.Checkpoint {
		return nil, &ConflictError{ID: id, Signed: n.Checkpoint}
	}
	return n, inTree(ctx, v, n.Checkpoint)
}

// inTree makes sure that the log's tree has the root at that size, as far as the
// log was not pruned.
func inTree(ctx context.Context, v *auditlog.View, c Checkpoint) error {
	if c.Size() < v.First() {
		return nil
	}
	root, err := v.MerkleRoot(ctx, c.Size())
	if err != nil {
		return fmt.Errorf("read tree of checkpoint %d: %w", c.ID, err)
	}
	if root != c.MerkleRoot {
		return fmt.Errorf("checkpoint %d has root %s, but the log's tree has %s at size %d: %w", c.ID, c.MerkleRoot, root, c.Size(), auditlog.ErrDamaged)
	}
	return nil
}

// ConflictError says that the log is not the one that was signed. Nothing is signed
// as long as it is so.
type ConflictError struct {
	// ID is the newest note's checkpoint, by the key it is kept under.
	ID uint64
	// Signed is what the note says.
	Signed Checkpoint
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("the note of checkpoint %d was signed for size %d with root %s of log %s, which is not what the log has: "+
		"its notes or its entries are of another log, or were changed", e.ID, e.Signed.Size(), e.Signed.MerkleRoot, e.Signed.LogID)
}

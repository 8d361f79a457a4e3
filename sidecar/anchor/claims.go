package anchor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/stellar"
)

// CheckReceipts checks, without the network, that a log's receipts fit its
// checkpoints, which are in order, their links checked; receipts of checkpoints before
// the first of them are left to the verification that checked those. Receipts come from the
// log's owner: the result is a claim, not a proof. An error means that it could
// not be carried out.
func CheckReceipts(ctx context.Context, v *auditlog.View, checkpoints []auditlog.CheckpointAt) (*Standing, error) {
	s := &Standing{}
	where := v.Genesis().GetAnchor()
	for r, err := range Receipts(ctx, v, 0) {
		if errors.Is(err, auditlog.ErrDamaged) {
			s.add(s.firstNotTrusted(), CodeReceipt, "%v", err)
			break
		}
		if err != nil {
			return nil, err
		}
		s.claim(r, where, v.ID(), checkpoints)
	}
	s.rest(checkpoints)
	return s, nil
}

// span is the ids of checkpoints: first to behind-1.
func span(checkpoints []auditlog.CheckpointAt) (first, behind uint64) {
	if len(checkpoints) == 0 {
		return 0, 0
	}
	return checkpoints[0].Checkpoint.GetCheckpointId(), checkpoints[len(checkpoints)-1].Checkpoint.GetCheckpointId() + 1
}

// withID is the checkpoint with an id; false if there is none.
func withID(checkpoints []auditlog.CheckpointAt, id uint64) (auditlog.CheckpointAt, bool) {
	i, found := slices.BinarySearchFunc(checkpoints, id, func(c auditlog.CheckpointAt, id uint64) int {
		return cmp.Compare(c.Checkpoint.GetCheckpointId(), id)
	})
	if !found {
		return auditlog.CheckpointAt{}, false
	}
	return checkpoints[i], true
}

// claim takes one receipt into account.
func (s *Standing) claim(r *anchorv1.Receipt, where *logv1.Anchor, logID chain.Hash, checkpoints []auditlog.CheckpointAt) {
	id := r.GetCheckpointId()
	if first, _ := span(checkpoints); id < first {
		return
	}
	c, found := withID(checkpoints, id)
	if !found {
		s.add(r.GetOffset(), CodeAhead, "there is a receipt for checkpoint %d, and no such checkpoint in the log, as far as it was checked", id)
		return
	}
	root, ok := chain.FromBytes(r.GetRoot())
	switch {
	case !ok:
		s.add(c.Offset, CodeReceipt, "the receipt of checkpoint %d has no root", id)
	case root != c.Root:
		// Loud only where the receipt is one of this log, as far as that can be told.
		if err := ofAnother(r, where, logID); err != nil {
			s.add(c.Offset, CodeReceipt, "the receipt of checkpoint %d has root %s, not %s, and is none of this log's: %v", id, root, c.Root, err)
			return
		}
		s.differs(c, root, "in its receipt")
	case len(r.GetEnvelope()) == 0:
		s.Bare++
	default:
		if err := fits(r, where, logID, c); err != nil {
			s.add(c.Offset, CodeReceipt, "the receipt of checkpoint %d does not fit: %v", id, err)
			return
		}
		s.agrees(c, r.GetLedger(), time.Unix(r.GetClosedAt(), 0))
	}
}

// fits checks a receipt's transaction against the checkpoint it is of.
func fits(r *anchorv1.Receipt, where *logv1.Anchor, logID chain.Hash, c auditlog.CheckpointAt) error {
	call, err := transaction(r, where)
	if err != nil {
		return err
	}
	if r.GetPath() == nil {
		if err := names(call, logID, c.Checkpoint.GetCheckpointId()); err != nil {
			return err
		}
		if call.TimestampMS != c.ClockMS {
			return fmt.Errorf("its transaction has the clock %d, the checkpoint %d", call.TimestampMS, c.ClockMS)
		}
	}
	return leadsTo(r.GetPath(), c.Root, call.Root)
}

// ofAnother says why a receipt can't be of this log, whatever its root; nil if it can.
func ofAnother(r *anchorv1.Receipt, where *logv1.Anchor, logID chain.Hash) error {
	if len(r.GetEnvelope()) == 0 {
		return nil // only the ledger tells
	}
	call, err := transaction(r, where)
	if err == nil && r.GetPath() == nil {
		err = names(call, logID, r.GetCheckpointId())
	}
	if err != nil {
		return err
	}
	return leadsTo(r.GetPath(), chain.Hash(r.GetRoot()), call.Root)
}

// transaction reads the commit that a receipt holds.
func transaction(r *anchorv1.Receipt, where *logv1.Anchor) (stellar.CommitCall, error) {
	switch {
	case r.GetNetwork() != where.GetNetwork():
		return stellar.CommitCall{}, fmt.Errorf("it is of the network %q, the log is anchored on %q", r.GetNetwork(), where.GetNetwork())
	case r.GetContract() != where.GetContract():
		return stellar.CommitCall{}, fmt.Errorf("it is of contract %s, the log is anchored on %s", r.GetContract(), where.GetContract())
	}
	hash, ok := chain.FromBytes(r.GetTransactionHash())
	if !ok {
		return stellar.CommitCall{}, errors.New("it has no transaction hash")
	}
	return stellar.CheckReceipt(r.GetNetwork(), r.GetContract(), hash, r.GetEnvelope(), r.GetResult())
}

// names checks which checkpoint a commit is of.
func names(call stellar.CommitCall, logID chain.Hash, id uint64) error {
	switch {
	case call.LogID != logID:
		return fmt.Errorf("its transaction is of log %s", chain.Hash(call.LogID))
	case call.CheckpointID != id:
		return fmt.Errorf("its transaction is of checkpoint %d", call.CheckpointID)
	}
	return nil
}

// leadsTo checks that a root is the committed one, or is in the tree whose root was.
func leadsTo(path *anchorv1.InclusionPath, root, committed chain.Hash) error {
	if path == nil {
		if root != committed {
			return fmt.Errorf("its transaction committed %s", committed)
		}
		return nil
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(root[:])
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, path.GetLeafIndex(), path.GetTreeSize(), leaf, path.GetHashes(), committed[:]); err != nil {
		return fmt.Errorf("its path does not lead to %s, which was committed: %w", committed, err)
	}
	return nil
}

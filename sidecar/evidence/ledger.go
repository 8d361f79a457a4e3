package evidence

import (
	"context"
	"errors"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/stellar"
)

// ErrNotAnchored says that the log of a file names no contract that could be asked.
var ErrNotAnchored = errors.New("the log is not anchored: its genesis names no contract")

// Ask asks the contract that the log names for the checkpoint's root, and adds what it
// says to a report of Check. An error means that it could not be asked.
func (f *File) Ask(ctx context.Context, k *stellar.Contract, executables [][32]byte, r *Report) error {
	at := f.Checkpoint()
	s, err := anchor.Check(ctx, k, f.LogID(), []auditlog.CheckpointAt{at}, anchor.Trusted{Executables: executables})
	if err != nil {
		return err
	}
	for _, found := range s.Findings {
		r.wrong(found.Offset, found.Code, "The ledger was asked: %s.", found.Text)
	}
	if !s.OK() || s.Through == nil {
		return nil
	}
	if m := f.m.GetReceipt(); m != nil && (m.GetLedger() != s.Ledger || m.GetClosedAt() != s.ClosedAt.Unix()) {
		r.wrong(at.Offset, CodeReceipt, "The anchor receipt says ledger %d, closed at %s; the ledger says %d, closed at %s.",
			m.GetLedger(), closed(m.GetClosedAt()), s.Ledger, closed(s.ClosedAt.Unix()))
		return nil
	}
	r.anchored = true
	r.add(Proven, "The ledger was asked: contract %s has the root %s for checkpoint %d of this log, since ledger %d, which closed at %s.",
		k.ID(), at.Root, at.Checkpoint.GetCheckpointId(), s.Ledger, closed(s.ClosedAt.Unix()))
	return nil
}

// LookUp is what anybody can look up on the public ledger.
type LookUp struct {
	Where        *logv1.Anchor
	LogID        chain.Hash
	CheckpointID uint64
	// Root and TimestampMS are what has to be there.
	Root        chain.Hash
	TimestampMS uint64
	// Transaction and Ledger are where it is said to be; zero: not known.
	Transaction []byte
	Ledger      uint32
}

// LookUp is nil for a log that is not anchored.
func (f *File) LookUp() *LookUp {
	if f.Anchor() == nil {
		return nil
	}
	at, receipt := f.Checkpoint(), f.m.GetReceipt()
	return &LookUp{
		Where: f.Anchor(), LogID: f.LogID(), CheckpointID: at.Checkpoint.GetCheckpointId(), Root: at.Root, TimestampMS: at.ClockMS,
		Transaction: receipt.GetTransactionHash(), Ledger: receipt.GetLedger(),
	}
}

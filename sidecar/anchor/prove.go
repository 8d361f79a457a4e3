package anchor

import (
	"context"
	"errors"
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/stellar"
)

// Sealed collects a log's checkpoints while package verify walks its chain, so
// that only roots whose links were checked are compared.
type Sealed struct{ Checkpoints []auditlog.CheckpointAt }

// Each is for verify.Options.Each; it needs checkpoints alone.
func (s *Sealed) Each(e auditlog.Entry, ev *logv1.Event) {
	if c := ev.GetCheckpoint(); c != nil {
		s.Checkpoints = append(s.Checkpoints, auditlog.CheckpointAt{Offset: e.Offset, ClockMS: ev.GetWallClockMs(), Root: e.Hash(), Checkpoint: c})
	}
}

// Trusted is what the reader knows about the contract.
type Trusted struct {
	// Executables are the SHA-256 of contract code that keeps its promises.
	Executables [][32]byte
	// Whole: the chain holds to its end, so what was published and is not in
	// checkpoints is missing.
	Whole bool
}

// idsAtOnce bounds one question to the contract.
const idsAtOnce = 1000

// Check compares every checkpoint with what the contract has. checkpoints are in
// order, their links checked. An error means that it could not be carried out.
func Check(ctx context.Context, k *stellar.Contract, logID chain.Hash, checkpoints []auditlog.CheckpointAt, t Trusted) (*Standing, error) {
	s := &Standing{}
	if err := checkExecutable(ctx, k, s, t); err != nil {
		return nil, err
	}
	state, err := k.Log(ctx, logID)
	if errors.Is(err, stellar.ErrNotOpen) {
		s.add(0, CodeNotAnchored, "contract %s has nothing of this log: %v", k.ID(), err)
		s.rest(checkpoints)
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask contract for the log: %w", err)
	}
	s.Writer, s.Proposed = state.Writer, state.Proposed
	if err := compare(ctx, k, logID, checkpoints, state.Latest, s); err != nil {
		return nil, err
	}
	_, behind := span(checkpoints)
	if latest := state.Latest; latest != nil && t.Whole && latest.CheckpointID >= behind {
		last := uint64(0)
		if len(checkpoints) > 0 {
			last = checkpoints[len(checkpoints)-1].Offset
		}
		s.add(last+1, CodeAhead, "checkpoint %d was published in ledger %d with root %s, and this log ends before it: its end is cut off, or it is an older copy",
			latest.CheckpointID, latest.Ledger, chain.Hash(latest.Hash))
	}
	s.rest(checkpoints)
	return s, nil
}

func checkExecutable(ctx context.Context, k *stellar.Contract, s *Standing, t Trusted) error {
	code, err := k.Executable(ctx)
	if err != nil {
		return fmt.Errorf("ask for the code of contract %s: %w", k.ID(), err)
	}
	for _, known := range t.Executables {
		if code == known {
			return nil
		}
	}
	s.add(0, CodeContract, "contract %s runs code %x, which is no audit_root contract that this program knows: what it says may have been changed", k.ID(), code)
	return nil
}

// compare goes through the checkpoints until one differs.
func compare(ctx context.Context, k *stellar.Contract, logID chain.Hash, checkpoints []auditlog.CheckpointAt, latest *stellar.Root, s *Standing) error {
	for len(checkpoints) > 0 {
		some := checkpoints[:min(idsAtOnce, len(checkpoints))]
		checkpoints = checkpoints[len(some):]
		ids := make([]uint64, len(some))
		for i, c := range some {
			ids[i] = c.Checkpoint.GetCheckpointId()
		}
		roots, err := k.Roots(ctx, logID, ids)
		if err != nil {
			return fmt.Errorf("ask contract for roots: %w", err)
		}
		if latest != nil {
			roots[latest.CheckpointID] = *latest
		}
		for _, c := range some {
			if root, published := roots[c.Checkpoint.GetCheckpointId()]; published && !s.compare(c, root) {
				return nil
			}
		}
	}
	return nil
}

// compare is false when the checkpoint is not the published one.
func (s *Standing) compare(c auditlog.CheckpointAt, root stellar.Root) bool {
	if c.Root != root.Hash {
		s.differs(c, root.Hash, fmt.Sprintf("in ledger %d, closed at %s", root.Ledger, root.ClosedAt.UTC().Format("2006-01-02T15:04:05Z")))
		return false
	}
	if c.ClockMS != root.TimestampMS {
		s.add(c.Offset, CodeTime, "checkpoint %d was published with the clock %d, here it has %d", root.CheckpointID, root.TimestampMS, c.ClockMS)
	}
	if root.Archived {
		s.Expired++
	}
	s.agrees(c, root.Ledger, root.ClosedAt)
	return true
}

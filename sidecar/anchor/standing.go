package anchor

import (
	"fmt"
	"time"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

// The codes of findings beside those of package verify.
const (
	// CodeRoot: the log's root of a checkpoint is not the published one.
	CodeRoot verify.Code = "anchored-root"
	// CodeTime: the log's clock of a checkpoint is not the published one.
	CodeTime verify.Code = "anchored-time"
	// CodeAhead: a checkpoint was published that the log does not have.
	CodeAhead verify.Code = "anchored-ahead"
	// CodeContract: the contract is not one that keeps its promises.
	CodeContract verify.Code = "contract"
	// CodeNotAnchored: nothing of the log was published, or it is not there.
	CodeNotAnchored verify.Code = "not-anchored"
	// CodeReceipt: a receipt does not fit.
	CodeReceipt verify.Code = "receipt"
)

// Standing says which part of a log's checkpoints somebody else vouches for.
type Standing struct {
	// Compared is how many checkpoints were compared one by one; the newest that
	// agrees covers those before it.
	Compared uint64
	// Through is the newest checkpoint that agrees, nil if none does: all entries
	// up to its offset are covered.
	Through *auditlog.CheckpointAt
	// Ledger has it, and closed at ClosedAt.
	Ledger   uint32
	ClosedAt time.Time
	// Checkpoints is how many the log has, NotYet how many of them come behind
	// Through, the oldest of them sealed at Since, by the log's own clock.
	Checkpoints, NotYet uint64
	Since               time.Time
	// Writer publishes for this log, by the contract; Proposed may take over.
	Writer, Proposed string
	// Expired is how many of the roots compared are in the network's archive: the
	// contract finds them only after they are restored.
	Expired uint64
	// Bare is how many receipts have no transaction: roots that were found on the
	// ledger and tell nothing without it.
	Bare     uint64
	Findings []verify.Finding
}

// OK says that nothing is wrong with what was checked.
func (s *Standing) OK() bool { return len(s.Findings) == 0 }

func (s *Standing) add(offset uint64, code verify.Code, format string, args ...any) {
	s.Findings = append(s.Findings, verify.Finding{Offset: offset, Code: code, Text: fmt.Sprintf(format, args...)})
}

// agrees notes a checkpoint that was compared and is the same.
func (s *Standing) agrees(c auditlog.CheckpointAt, ledger uint32, closedAt time.Time) {
	s.Compared++
	s.Through, s.Ledger, s.ClosedAt = &c, ledger, closedAt
}

// firstNotTrusted is the first offset that no agreeing checkpoint covers.
func (s *Standing) firstNotTrusted() uint64 {
	if s.Through == nil {
		return 0
	}
	return s.Through.Offset + 1
}

// differs notes a root that is not the published one: the loudest finding.
func (s *Standing) differs(c auditlog.CheckpointAt, published chain.Hash, where string) {
	s.Compared++
	s.add(s.firstNotTrusted(), CodeRoot, "THE LOG IS NOT THE ONE THAT WAS PUBLISHED: checkpoint %d at offset %d has the root %s here and %s %s; "+
		"nothing from offset %d on can be trusted", c.Checkpoint.GetCheckpointId(), c.Offset, c.Root, published, where, s.firstNotTrusted())
}

// Cut says whether what ordered a log to be cut is vouched for: a log is pruned only
// behind an anchored Prune entry (docs/LOG-FORMAT.md, "Retention").
func (s *Standing) Cut(cut auditlog.Cut) {
	if cut.PruneOffset >= s.firstNotTrusted() {
		s.add(cut.Offset, verify.CodeCut, "the log was cut at %d by the prune entry at %d, and no anchored checkpoint covers that entry", cut.Offset, cut.PruneOffset)
	}
}

// rest counts what is sealed and not covered yet. Checkpoints and no evidence is a
// finding.
func (s *Standing) rest(checkpoints []auditlog.CheckpointAt) {
	s.Checkpoints = uint64(len(checkpoints))
	for _, c := range checkpoints {
		if s.Through != nil && c.Offset <= s.Through.Offset {
			continue
		}
		if s.NotYet == 0 {
			s.Since = clock(c)
		}
		s.NotYet++
	}
	if s.Checkpoints > 0 && s.Through == nil && s.OK() {
		s.add(checkpoints[0].Offset, CodeNotAnchored, "%d checkpoints are sealed, and there is nothing to compare them with", s.Checkpoints)
	}
}

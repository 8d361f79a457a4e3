// Package lineage is about logs that continue others: a genesis can name the log
// before it and that one's last root.
//
// It guarantees that a link is only said to hold if the whole log before was verified
// and its newest entry is the one that is named. It does not know where logs are, and
// it can't know that a log was not continued twice: only who reads both can.
package lineage

import (
	"context"
	"errors"
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

// ErrUnsealed says that a log can't be continued, since its newest entries are not
// sealed.
var ErrUnsealed = errors.New("its newest entries are not sealed")

// Last names a log as the predecessor of another: by its id and the hash of its newest
// entry, which must be a checkpoint, as a clean stop leaves it. It reads that entry
// alone.
func Last(v *auditlog.View) (*logv1.Predecessor, error) {
	tip := v.Tip()
	e, err := v.Entry(tip.Offset)
	if err != nil {
		return nil, fmt.Errorf("continue log %s: %w", v.ID(), err)
	}
	kind, _, err := auditlog.Peek(e.Raw)
	if err != nil || e.Hash() != tip.Hash || v.ID() == (chain.Hash{}) {
		return nil, fmt.Errorf("continue log %s: %w: see verbatim verify", v.ID(), auditlog.ErrDamaged)
	}
	if kind != auditlog.KindCheckpoint {
		return nil, fmt.Errorf("continue log %s: %w: the newest, %d, is no checkpoint; start and stop verbatim serve on it once, which seals it",
			v.ID(), ErrUnsealed, tip.Offset)
	}
	id := v.ID()
	return &logv1.Predecessor{LogId: id[:], ChainRoot: tip.Hash[:]}, nil
}

// CodePredecessor is the code of a link that does not hold.
const CodePredecessor verify.Code = "predecessor"

// Link is what a log's genesis says of the one before it, and what was found of that.
type Link struct {
	ID, Root chain.Hash
	// Report is of the verification of the log before; nil: it was not given.
	Report *verify.Report
	// Findings say what is wrong with the link, or the log before.
	Findings []verify.Finding
}

// Named is the link that a genesis names, nil if there is none.
func Named(g *logv1.Genesis) *Link {
	p := g.GetPredecessor()
	if p == nil {
		return nil
	}
	l := &Link{}
	var id, root bool
	l.ID, id = chain.FromBytes(p.GetLogId())
	l.Root, root = chain.FromBytes(p.GetChainRoot())
	if !id || !root {
		l.add(0, "the genesis names a predecessor of id %x and root %x, which are no hashes", p.GetLogId(), p.GetChainRoot())
	}
	return l
}

func (l *Link) add(offset uint64, format string, args ...any) {
	l.Findings = append(l.Findings, verify.Finding{Offset: offset, Code: CodePredecessor, Text: fmt.Sprintf(format, args...)})
}

// Check verifies the log before, all of it, and that it ends at the named root.
func (l *Link) Check(ctx context.Context, before *auditlog.View, progress func(done uint64)) error {
	if before.ID() != l.ID {
		l.add(0, "the log continues log %s, and this is log %s", l.ID, before.ID())
		return nil
	}
	r, err := verify.Verify(ctx, before, verify.Options{Progress: progress})
	if err != nil {
		return fmt.Errorf("verify predecessor: %w", err)
	}
	l.Report = r
	for _, f := range r.Findings {
		f.Text = fmt.Sprintf("in the predecessor %s: %s", l.ID, f.Text)
		l.Findings = append(l.Findings, f)
	}
	if r.ChainRoot == l.Root {
		return nil
	}
	checkpoints, err := before.Checkpoints(ctx, 0)
	if err != nil {
		l.add(r.Tip, "the predecessor %s does not end at the root %s, and its checkpoints can't be read: %v", l.ID, l.Root, err)
		return nil
	}
	for _, c := range checkpoints {
		if c.Root == l.Root {
			l.add(c.Offset, "the predecessor %s went on after it was continued at offset %d: its newest entry is %d", l.ID, c.Offset, r.Tip)
			return nil
		}
	}
	l.add(r.Tip, "the predecessor %s has no checkpoint with the root %s, at which it was continued: it is not the log that it was, or its end was cut off", l.ID, l.Root)
	return nil
}

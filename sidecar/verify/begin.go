package verify

import (
	"errors"
	"fmt"
	"maps"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// Point is a checkpoint up to which a log was verified, and what a later verification
// needs to go on from there.
type Point struct {
	// Offset is the checkpoint's, and Root its entry hash.
	Offset uint64
	Root   chain.Hash
	// Nodes make the Merkle tree of the entries before it (chain.RestoreTree).
	Nodes [][]byte
}

// begin says where the walk begins: with the genesis, where the log was cut, or where
// an earlier verification ended.
func begin(v *auditlog.View, o Options) (*checker, error) {
	tip := v.Tip()
	s, err := newStored(v)
	if err != nil {
		return nil, err
	}
	c := &checker{
		view: v, opts: o, batch: chain.NewBatch(), report: &Report{Tip: tip.Offset, ChainRoot: tip.Hash},
		trusted: maps.Clone(o.Trusted), footers: newFooters(v.Genesis().GetCheckpointInterval(), s),
	}
	if cut, ok := v.Cut(); ok {
		c.report.Cut = cut
		nodes, err := v.Base()
		if errors.Is(err, auditlog.ErrReopened) {
			return nil, err
		}
		if err != nil {
			c.report.add(cut.Offset, CodeTree, "the Merkle nodes of what was pruned can't be read: %v", err)
		}
		c.base = &Point{Offset: cut.Offset, Root: cut.Root, Nodes: nodes}
	}
	if err := c.resume(o.From); err != nil {
		return nil, err
	}
	if c.base != nil {
		c.next, c.report.First = c.base.Offset, c.base.Offset
		c.footers.base(c.report, c.base)
	}
	return c, nil
}

// firstWindow is an id that no window which is checked comes before.
func (c *checker) firstWindow() uint64 {
	if c.base == nil {
		return 0
	}
	at, err := c.view.CheckpointAt(c.base.Offset)
	if err != nil {
		return 0 // the walk says what is wrong there
	}
	return at.Checkpoint.GetCheckpointId() + 1
}

// resume goes on from an earlier verification, if the log still reaches there.
func (c *checker) resume(from *Point) error {
	switch {
	case from == nil:
		return nil
	case from.Offset > c.report.Tip:
		c.report.add(c.report.Tip+1, CodeTrustedRoot,
			"an earlier verification reached offset %d, and the newest entry is %d: the log's end was cut off, or it is an older copy", from.Offset, c.report.Tip)
		return nil
	case from.Offset >= c.view.First():
		c.base = from
	}
	// If it was pruned since, the cut is where it begins, and the checkpoint stays for
	// ever: that it is of the log that was cut is checked with all that stays.
	e, err := c.view.Entry(from.Offset)
	switch {
	case errors.Is(err, auditlog.ErrPruned):
		c.report.add(from.Offset, CodeTrustedRoot,
			"an earlier verification reached the checkpoint here, which is gone with what was pruned, and a checkpoint stays: this is not the log that was verified")
	case err != nil:
		return fmt.Errorf("go on from offset %d: %w", from.Offset, err)
	case e.Hash() != from.Root:
		c.report.add(from.Offset, CodeTrustedRoot,
			"an earlier verification saw the hash %s here, now it is %s: this is not the log that was verified", from.Root, e.Hash())
	}
	return nil
}

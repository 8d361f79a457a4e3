package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// The codes of findings about pruning.
const (
	CodePrune Code = "prune" // a Prune entry orders what can't be
	CodeKept  Code = "kept"  // of what was pruned something is missing that stays for ever
)

// Pruned is what a log says of the part that was pruned, checked as far as it can be
// without that part.
type Pruned struct {
	// Cut is where the log begins now; zero: nothing was pruned.
	Cut auditlog.Cut
	// Policy and ArchiveSHA256 are the Prune entry's by which it was cut.
	Policy        string
	ArchiveSHA256 []byte
	// Gone is how many entries before the cut are not there, Kept how many are.
	Gone, Kept uint64
	// Complete: the Prune entry says which entries stay, and these are there. Without
	// it a Start that is missing can't be noticed; a checkpoint can.
	Complete bool
	// Orders is how many Prune entries there are behind the cut, and NotCarriedOut
	// how many of them order more than was cut.
	Orders, NotCarriedOut int
}

// CheckPruned checks what a view says of pruning: that it was cut where a sealed Prune
// entry says, that every Prune entry orders what can be, and that each entry that
// stays for ever is there, in its place in the tree of what was pruned. The links
// behind the cut are Verify's to check. An error means that it could not be carried
// out.
func CheckPruned(ctx context.Context, v *auditlog.View) (*Pruned, []Finding, error) {
	c := &prunedChecker{view: v, found: &Pruned{}, report: &Report{}}
	c.found.Cut, c.isCut = v.Cut()
	err := c.orders(ctx)
	if err == nil && c.isCut {
		err = c.cut(ctx)
	}
	if err != nil && (ctx.Err() != nil || errors.Is(err, auditlog.ErrReopened)) {
		return nil, nil, fmt.Errorf("check what was pruned: %w", err)
	}
	if err != nil {
		c.report.add(c.found.Cut.Offset, CodeUnreadable, "what was pruned can't be checked: %v", err)
	}
	return c.found, c.report.Findings, nil
}

// pruned takes in what CheckPruned finds.
func (r *Report) pruned(ctx context.Context, v *auditlog.View) error {
	found, findings, err := CheckPruned(ctx, v)
	if err != nil {
		return err
	}
	r.Pruned = found
	named := !r.OK()
	for _, f := range findings {
		if named && f.Code == CodeUnreadable {
			continue // for a reason that is a finding already
		}
		r.add(f.Offset, f.Code, "%s", f.Text)
	}
	return nil
}

type prunedChecker struct {
	view   *auditlog.View
	isCut  bool
	found  *Pruned
	report *Report
}

// orders checks each Prune entry that is there.
func (c *prunedChecker) orders(ctx context.Context) error {
	of := auditlog.Lookup{AllOf: [][]auditlog.Term{{auditlog.KindTerm(auditlog.KindPrune)}}, From: c.view.First(), To: c.view.Tip().Offset}
	for offset, err := range c.view.Find(ctx, of) {
		if err != nil {
			return err
		}
		p, err := c.order(offset)
		if err != nil {
			return err
		}
		if p == nil {
			continue // the index is another's to check
		}
		c.found.Orders++
		if p.GetLastOffset() > c.found.Cut.Offset {
			c.found.NotCarriedOut++
		}
		if err := c.can(offset, p); err != nil {
			return err
		}
	}
	return nil
}

// order reads a Prune entry; nil if the entry is another.
func (c *prunedChecker) order(offset uint64) (*logv1.Prune, error) {
	e, err := c.view.Entry(offset)
	if err != nil {
		return nil, err
	}
	ev, err := e.Event()
	if err != nil {
		return nil, err
	}
	return ev.GetPrune(), nil
}

// can checks what a Prune entry orders: a prefix, up to a checkpoint before it, whose
// root it names.
func (c *prunedChecker) can(offset uint64, p *logv1.Prune) error {
	through := p.GetLastOffset()
	if p.GetFirstOffset() >= through || through >= offset {
		c.report.add(offset, CodePrune, "it orders offsets %d to %d to go, which is no range before it", p.GetFirstOffset(), through)
		return nil
	}
	e, err := c.view.Entry(through)
	if errors.Is(err, auditlog.ErrPruned) || errors.Is(err, auditlog.ErrNoEntry) {
		c.report.add(offset, CodePrune, "it orders the log to be cut at %d, where no checkpoint is", through)
		return nil
	}
	if err != nil {
		return err
	}
	kind, _, err := auditlog.Peek(e.Raw)
	switch root := e.Hash(); {
	case err != nil || kind != auditlog.KindCheckpoint:
		c.report.add(offset, CodePrune, "it orders the log to be cut at %d, which is no checkpoint", through)
	case root != bytesToHash(p.GetRoot()):
		c.report.add(offset, CodePrune, "it names root %x for the checkpoint at %d, which has %s", p.GetRoot(), through, root)
	}
	return nil
}

// cut checks where the log was cut against the Prune entry that ordered it.
func (c *prunedChecker) cut(ctx context.Context) error {
	cut := c.found.Cut
	if cut.PruneOffset <= cut.Offset || cut.PruneOffset > c.view.Tip().Offset {
		c.report.add(cut.Offset, CodeCut, "the log was cut here by a prune entry at %d, and there can be none", cut.PruneOffset)
		return nil
	}
	p, err := c.order(cut.PruneOffset)
	if err != nil {
		return err
	}
	if p == nil {
		c.report.add(cut.Offset, CodeCut, "the log was cut here, and the entry at %d that is said to order it is no prune entry", cut.PruneOffset)
		return nil
	}
	c.found.Policy, c.found.ArchiveSHA256 = p.GetPolicy(), p.GetArchiveSha256()
	if p.GetLastOffset() != cut.Offset || bytesToHash(p.GetRoot()) != cut.Root {
		c.report.add(cut.Offset, CodeCut, "the log was cut here at root %s, but the prune entry at %d orders a cut at %d with root %x",
			cut.Root, cut.PruneOffset, p.GetLastOffset(), p.GetRoot())
	}
	if err := c.sealed(ctx); err != nil {
		return err
	}
	return c.kept(ctx)
}

// sealed: nothing is cut before a checkpoint seals the Prune entry.
func (c *prunedChecker) sealed(ctx context.Context) error {
	w, err := c.view.OpenWindow(ctx)
	if err != nil || w.Checkpoints == 0 {
		return err
	}
	newest, err := c.view.Checkpoint(w.Checkpoints - 1)
	if err == nil && newest.Offset < c.found.Cut.PruneOffset {
		c.report.add(c.found.Cut.PruneOffset, CodeCut, "no checkpoint seals this prune entry, and the log was cut by it all the same")
	}
	return err
}

// kept checks what stays for ever of the part that was pruned.
func (c *prunedChecker) kept(ctx context.Context) error {
	e, err := c.view.Entry(c.found.Cut.Offset)
	if err != nil {
		return err
	}
	ev, err := e.Event()
	if err != nil {
		return err
	}
	last := ev.GetCheckpoint()
	if last == nil || e.Hash() != c.found.Cut.Root {
		c.report.add(e.Offset, CodeCut, "the log was cut here at root %s, but the entry is no checkpoint with that root", c.found.Cut.Root)
		return nil
	}
	k := &keptChecker{c: c, size: last.GetLastOffset() + 1, root: bytesToHash(last.GetMerkleRoot()), digest: sha256.New(), reader: c.view.StoredReader()}
	defer k.reader.Close()
	for e, err := range c.view.Kept(ctx) {
		if err != nil {
			return err
		}
		if e.Offset >= c.found.Cut.Offset {
			break // left by a cut that was not made
		}
		if err := k.entry(ctx, e); err != nil {
			return err
		}
	}
	k.checkpoint(e.Offset, last)
	k.end(e.Hash())
	return nil
}

// keptChecker goes through the entries that stay, in order.
type keptChecker struct {
	c      *prunedChecker
	size   uint64 // of the tree that the cut's checkpoint seals
	root   chain.Hash
	digest hash.Hash
	reader *auditlog.StoredReader
	nextID uint64 // of the next checkpoint
	first  uint64 // of its window
	any    bool
}

func (k *keptChecker) entry(ctx context.Context, e auditlog.Entry) error {
	r := k.c.report
	entry := e.Hash()
	k.digest.Write(entry[:])
	if !k.any && e.Offset != 0 {
		r.add(0, CodeKept, "the genesis is not there")
	}
	k.any = true
	k.c.found.Kept++
	proof, err := k.c.view.InclusionProof(ctx, e.Offset, k.size)
	if err == nil {
		err = chain.VerifyInclusion(e.Offset, k.size, entry, proof, k.root)
	}
	if err != nil && ctx.Err() != nil {
		return err
	}
	if err != nil {
		r.add(e.Offset, CodeKept, "this entry stays for ever, but it is not in the tree of the checkpoint at the cut: %v", err)
		return nil
	}
	ev, err := e.Event()
	if err != nil {
		r.add(e.Offset, CodeKept, "%v", err)
		return nil
	}
	switch ev.GetKind().(type) {
	case *logv1.Event_Checkpoint:
		k.checkpoint(e.Offset, ev.GetCheckpoint())
	case *logv1.Event_Genesis, *logv1.Event_Start:
	default:
		r.add(e.Offset, CodeKept, "the entry is of a kind that does not stay")
	}
	return nil
}

// checkpoint: the list of checkpoints has no hole.
func (k *keptChecker) checkpoint(offset uint64, c *logv1.Checkpoint) {
	if c.GetCheckpointId() != k.nextID || c.GetFirstOffset() != k.first {
		k.c.report.add(offset, CodeKept, "this is checkpoint %d of the window from %d on, but the next that stays is checkpoint %d of the window from %d on: one is missing",
			c.GetCheckpointId(), c.GetFirstOffset(), k.nextID, k.first)
	}
	k.nextID, k.first = c.GetCheckpointId()+1, offset
	r := k.c.report
	nodes, err := k.c.view.TreeNodes(offset)
	if err != nil {
		r.add(offset, CodeTree, "the Merkle nodes of the entries before this checkpoint, which stays, can't be read: %v", err)
		return
	}
	// These nodes are its proof's own, so that nothing that stays before it is another
	// than what it sealed.
	if tree, err := chain.RestoreTree(offset, nodes); err != nil || tree.Root() != bytesToHash(c.GetMerkleRoot()) {
		r.add(offset, CodeKept, "its merkle root is %x, but the tree of the checkpoint at the cut has another at its size", c.GetMerkleRoot())
	}
	k.listed(offset, c.GetCheckpointId(), nodes)
}

// listed: the list of checkpoints has it, and has it right.
func (k *keptChecker) listed(offset, id uint64, nodes [][]byte) {
	r := k.c.report
	switch found, equal, err := k.reader.Checkpoint(id, offset, nodes); {
	case err != nil:
		r.add(offset, CodeStoredFooter, "it can't be read: %v", err)
	case !found:
		r.add(offset, CodeStoredFooter, "checkpoint %d, which stays, is not in the list of checkpoints", id)
	case !equal:
		r.add(offset, CodeStoredFooter, "the list of checkpoints has another offset or other Merkle nodes for checkpoint %d, which stays", id)
	}
}

// end compares all that stays with what the Prune entry says does.
func (k *keptChecker) end(cutRoot chain.Hash) {
	found := k.c.found
	if !k.any {
		k.c.report.add(0, CodeKept, "the genesis is not there")
	}
	found.Gone = found.Cut.Offset - found.Kept
	p, err := auditlog.ParsePrunePolicy(found.Policy)
	if err != nil {
		return // another's words: found.Complete says that nothing is known
	}
	k.digest.Write(cutRoot[:])
	if want := found.Kept + 1; p.Kept != want || p.KeptHash != chain.Hash(k.digest.Sum(nil)) {
		k.c.report.add(found.Cut.Offset, CodeKept, "%d entries up to here are there that stay for ever, but the prune entry at %d says %d, or others",
			want, found.Cut.PruneOffset, p.Kept)
		return
	}
	found.Complete = true
	anchored := k.c.view.Genesis().GetAnchor() != nil
	if anchored != (p.Cut == auditlog.PruneAnchored) {
		k.c.report.add(found.Cut.PruneOffset, CodePrune, "its policy is to cut at %s checkpoints, which is not this log's", p.Cut)
	}
}

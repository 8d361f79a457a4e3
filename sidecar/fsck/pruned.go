package fsck

import (
	"errors"
	"fmt"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// pruned takes over what is kept of a pruned part: entries that the tree of the cut
// proves, and the nodes that prove them.
func (p *Repaired) pruned(loader *auditlog.Loader, left *auditlog.Remains, from begins) error {
	stored, err := left.Nodes(from.cut.Offset)
	if err != nil {
		p.note("some Merkle nodes of what was pruned are lost: %v", err)
	}
	nodes := nodes{}
	for id, hash := range stored {
		if (id.Index+1)<<id.Level > from.cut.Offset {
			continue // it is made again
		}
		nodes[id] = hash
		if err := loader.KeepNode(id, hash); err != nil {
			return err
		}
	}
	tree, err := chain.RestoreTree(from.cut.Offset, from.base)
	if err != nil {
		return err
	}
	kept, err := left.Kept()
	if err != nil {
		p.note("some of the entries that are kept of what was pruned are lost: %v", err)
	}
	for _, e := range kept {
		if err := nodes.prove(e, from.cut.Offset, tree.Root()); err != nil {
			if e.Offset > 0 || e.EventHash() != chain.EventHash(e.Raw) {
				p.note("entry %d, kept of what was pruned, is not taken over: %v", e.Offset, err)
				continue
			}
			p.note("the genesis is taken over, but can't be proved any more: %v", err)
		}
		if err := loader.KeepEntry(e); err != nil {
			return err
		}
	}
	return nil
}

// nodes are those that are stored of a pruned part.
type nodes map[chain.NodeID]chain.Hash

func (n nodes) read(id chain.NodeID) (chain.Hash, error) {
	h, ok := n[id]
	if !ok {
		return h, fmt.Errorf("%w: Merkle node %d/%d is lost", auditlog.ErrDamaged, id.Level, id.Index)
	}
	return h, nil
}

var errFooter = errors.New("its Merkle root is not that of the entries before it")

// prove checks a kept entry's way to the cut, and of a checkpoint its own tree.
func (n nodes) prove(e auditlog.Entry, size uint64, root chain.Hash) error {
	path, err := chain.InclusionProof(e.Offset, size, n.read)
	if err != nil {
		return err
	}
	if err := chain.VerifyInclusion(e.Offset, size, e.Hash(), path, root); err != nil {
		return err
	}
	ev, err := e.Event()
	if err != nil || ev.GetCheckpoint() == nil {
		return err
	}
	tree, err := chain.TreeAt(e.Offset, n.read)
	if err != nil {
		return err
	}
	if own, ok := chain.FromBytes(ev.GetCheckpoint().GetMerkleRoot()); !ok || own != tree.Root() {
		return errFooter
	}
	return nil
}

package auditlog

import (
	"context"
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// CutSynced denies all reads of what the Prune entry at an offset names, but for the
// entries that are kept for ever, and returns after that is durable. Views that are
// open keep what they have. ClearCut then removes it. A cut that was made already is
// no error. The entry must order a cut at a sealed Checkpoint, below every request
// that is open; whether it may be made is the caller's to know.
func (l *Log) CutSynced(ctx context.Context, pruneOffset uint64) error {
	v, err := l.View()
	if err != nil {
		return err
	}
	defer v.Close()
	store := func(writes []write) error { return l.store(ctx, writes) }
	if err := v.cutBy(ctx, pruneOffset, store); err != nil {
		return fmt.Errorf("cut log by entry %d: %w", pruneOffset, err)
	}
	return nil
}

// cutBy stores what is kept, and then the cut.
func (v *View) cutBy(ctx context.Context, pruneOffset uint64, store func([]write) error) error {
	e, err := v.Entry(pruneOffset)
	if err != nil {
		return err
	}
	ev, err := e.Event()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	p := ev.GetPrune()
	if p == nil {
		return fmt.Errorf("%w: the entry is no prune entry", errCut)
	}
	cut := Cut{Offset: p.GetLastOffset(), PruneOffset: pruneOffset}
	if cut.Offset <= v.First() {
		return nil
	}
	if cut.Root, err = v.cutRoot(cut.Offset, p); err != nil {
		return err
	}
	k := &keeping{view: v, cut: cut.Offset, nodes: map[chain.NodeID]struct{}{}, store: store}
	if err := k.gather(ctx); err != nil {
		return err
	}
	return store(append(k.writes, write{family: cfState, key: keyCut, value: encodeCut(cut)}))
}

// cutRoot checks what a Prune entry says of its checkpoint.
func (v *View) cutRoot(offset uint64, p *logv1.Prune) (chain.Hash, error) {
	if offset >= v.packed {
		return chain.Hash{}, fmt.Errorf("%w: the window that ends before %d is not sealed and stored yet", errCut, offset)
	}
	c, err := v.CheckpointAt(offset)
	if err != nil {
		return chain.Hash{}, err
	}
	if root, ok := chain.FromBytes(p.GetRoot()); !ok || c.Root != root {
		return chain.Hash{}, fmt.Errorf("%w: the entry names root %x, but checkpoint %d has %s", errCut, p.GetRoot(), c.Checkpoint.GetCheckpointId(), c.Root)
	}
	return c.Root, nil
}

// keeping gathers what stays of a part that is cut off: entries, and the Merkle nodes
// that prove them and all that comes later.
type keeping struct {
	view   *View
	cut    uint64
	nodes  map[chain.NodeID]struct{}
	writes []write
	store  func([]write) error
}

// keepAtOnce bounds one write. What is kept does no harm before the cut.
const keepAtOnce = 4096

func (k *keeping) gather(ctx context.Context) error {
	var s Summary
	for e, err := range k.view.Entries(ctx, k.view.First(), k.cut-1) {
		if err != nil {
			return err
		}
		if err := s.Summarize(e.Raw); err != nil {
			return fmt.Errorf("%w: entry %d: %w", ErrDamaged, e.Offset, err)
		}
		switch s.Kind {
		case KindGenesis, KindStart, KindCheckpoint:
			if err := k.keep(e, s.Kind); err != nil {
				return err
			}
		}
		if len(k.writes) >= keepAtOnce {
			if err := k.store(k.writes); err != nil {
				return err
			}
			k.writes = nil
		}
	}
	if err := k.read(k.around(k.view.First())); err != nil {
		return err
	}
	// Whatever is proved later stands on the tree of what is gone.
	return k.read(compact.RangeNodes(0, k.cut, nil))
}

// around is the small subtrees that begin before an earlier cut and end behind it: what
// was kept then is proved with them, and they could be made until now.
func (k *keeping) around(earlier uint64) (ids []compact.NodeID) {
	for level := uint(0); level < StoredLevel; level++ {
		if index := earlier >> level; (index+1)<<level <= k.cut {
			ids = append(ids, compact.NodeID{Level: level, Index: index})
		}
	}
	return ids
}

// keep stores an entry and its way to the checkpoint of the cut.
func (k *keeping) keep(e Entry, kind Kind) error {
	k.writes = append(k.writes, write{family: cfKept, key: offsetKey(e.Offset), value: encodeEntry(nil, e)})
	included, err := proof.Inclusion(e.Offset, k.cut)
	if err != nil {
		return fmt.Errorf("prove entry %d: %w", e.Offset, err)
	}
	if err := k.read(included.IDs); err != nil || kind != KindCheckpoint || e.Offset == 0 {
		return err
	}
	// A checkpoint is of the tree of the entries before it.
	consistent, err := proof.Consistency(e.Offset, k.cut)
	if err != nil {
		return fmt.Errorf("prove checkpoint at %d: %w", e.Offset, err)
	}
	if err := k.read(consistent.IDs); err != nil {
		return err
	}
	return k.read(compact.RangeNodes(0, e.Offset, nil))
}

// read stores nodes that are not stored yet.
func (k *keeping) read(ids []compact.NodeID) error {
	for _, each := range ids {
		id := chain.NodeID(each)
		if _, known := k.nodes[id]; known || id.Level >= StoredLevel && (id.Index+1)<<id.Level <= k.view.packed {
			continue
		}
		node, err := k.view.Node(id)
		if err != nil {
			return err
		}
		k.nodes[id] = struct{}{}
		k.writes = append(k.writes, write{family: cfTree, key: treeKey(id), value: node[:]})
	}
	return nil
}

package archive

import (
	"context"
	"errors"
	"fmt"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

// Remains are where an archive begins that was begun on a pruned log, and the object
// with what stays for ever of the entries before.
type Remains struct {
	// Cut is where the log was pruned, by which entry.
	Cut    auditlog.Cut
	Object Object
}

// key is where remains are.
func (r Remains) key() string { return "remains/" + r.Object.Digest.String() }

// remains is what that object holds: the entries that stay, in order, and the Merkle
// nodes by which they and all that comes later are proved.
type remains struct {
	kept  []auditlog.Entry
	nodes map[chain.NodeID]chain.Hash
}

// node is a chain.NodeReader.
func (r *remains) node(id chain.NodeID) (chain.Hash, error) {
	h, ok := r.nodes[id]
	if !ok {
		return h, fmt.Errorf("merkle node %d/%d is missing", id.Level, id.Index)
	}
	return h, nil
}

// before is the tree of the entries before the cut.
func (r *remains) before(cut auditlog.Cut) (*chain.Tree, error) {
	return chain.TreeAt(cut.Offset, r.node)
}

// remains adds what stays of what was pruned, if anything was. What does not prove
// itself must not be the beginning of anything.
func (u *upload) remains() error {
	cut, pruned := u.view.Cut()
	if !pruned {
		return nil
	}
	_, findings, err := verify.CheckPruned(u.ctx, u.view)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return broken(errors.New(findings[0].String()))
	}
	left, err := gather(u.ctx, u.view)
	if err != nil {
		return err
	}
	object, err := left.encode(u.manifest.LogID, cut)
	if err != nil {
		return err
	}
	r := &Remains{Cut: cut, Object: Object{Digest: chain.EventHash(object), Size: uint64(len(object))}}
	u.manifest.Remains = r
	u.links = links{next: cut.Offset, root: cut.Root}
	u.o.Logger.Warn("the archive begins where the log was pruned", "archive", u.o.Bucket.name, "offset", cut.Offset, "prune", cut.PruneOffset)
	return u.keep(r.key(), object)
}

func gather(ctx context.Context, v *auditlog.View) (*remains, error) {
	nodes, err := v.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	left := &remains{nodes: nodes}
	for id := range nodes {
		if (id.Index+1)<<id.Level > v.First() {
			delete(nodes, id) // it is made again of the entries that follow
		}
	}
	for e, err := range v.Kept(ctx) {
		if err != nil {
			return nil, err
		}
		left.kept = append(left.kept, e)
	}
	return left, nil
}

// begin makes the loader for what an archive holds: of a log that was pruned before,
// behind what stays of it.
func (b *Bucket) begin(ctx context.Context, dir string, newest *sealed) (*auditlog.Loader, error) {
	r := newest.Remains
	if r == nil {
		return auditlog.NewLoader(dir, auditlog.LoadOptions{})
	}
	if newest.Through.Offset <= r.Cut.PruneOffset {
		return nil, fmt.Errorf("restore archive %s: %w: it begins at offset %d, and reaches only to %d: the prune entry at %d, which says why, is not archived yet; archive on",
			b.name, ErrMissing, r.Cut.Offset, newest.Through.Offset, r.Cut.PruneOffset)
	}
	object, err := b.read(ctx, r.key(), r.Object)
	if err != nil {
		return nil, err
	}
	left, err := decodeRemains(object, newest.LogID, r.Cut)
	if err != nil {
		return nil, b.altered(r.key(), err)
	}
	tree, err := left.before(r.Cut)
	if err != nil {
		return nil, b.altered(r.key(), err)
	}
	loader, err := auditlog.NewLoader(dir, auditlog.LoadOptions{Cut: r.Cut, Base: tree.Nodes()})
	if err != nil {
		return nil, err
	}
	if err := left.load(loader); err != nil {
		return nil, errors.Join(b.altered(r.key(), err), loader.Abandon())
	}
	return loader, nil
}

func (r *remains) load(into *auditlog.Loader) error {
	for id, hash := range r.nodes {
		if err := into.KeepNode(id, hash); err != nil {
			return err
		}
	}
	for _, e := range r.kept {
		if err := into.KeepEntry(e); err != nil {
			return err
		}
	}
	return nil
}

// begun checks the beginning of a log that was restored: only its chain can tell
// whether it was pruned there. One that does not fit is removed.
func (b *Bucket) begun(ctx context.Context, dir string, newest *sealed) error {
	if newest.Remains == nil {
		return nil
	}
	err := checkBegun(ctx, dir, newest)
	if err == nil {
		return nil
	}
	return errors.Join(b.altered(newest.Remains.key(), err), auditlog.Remove(dir))
}

func checkBegun(ctx context.Context, dir string, newest *sealed) error {
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		return err
	}
	defer v.Close()
	if v.ID() != newest.LogID {
		return fmt.Errorf("its genesis is that of log %s", v.ID())
	}
	c, err := v.CheckpointAt(newest.Remains.Cut.Offset)
	if err != nil {
		return err
	}
	root, err := v.MerkleRoot(ctx, c.Offset)
	if own, ok := chain.FromBytes(c.Checkpoint.GetMerkleRoot()); err != nil || !ok || own != root {
		return errors.Join(fmt.Errorf("its Merkle nodes give the root %s, the checkpoint at %d has %x", root, c.Offset, c.Checkpoint.GetMerkleRoot()), err)
	}
	_, findings, err := verify.CheckPruned(ctx, v)
	if err == nil && len(findings) > 0 {
		err = errors.New(findings[0].String())
	}
	return err
}

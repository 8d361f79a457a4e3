package retention

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// Survey is what a walk over the entries found that are to go.
type Survey struct {
	// Entries go, with Octets of events; Stay of the range stay.
	Entries, Octets, Stay uint64
	// Kept is how many entries stay for ever up to the cut, those of earlier cuts
	// among them, and KeptHash is SHA-256 of their entry hashes in order.
	Kept     uint64
	KeptHash chain.Hash
	// Worth says that something goes that was recorded, and not only what retention
	// itself wrote.
	Worth bool
}

// ErrBroken says that the chain of what is to go does not hold.
var ErrBroken = errors.New("the chain does not hold, so nothing is pruned: verbatim verify says more")

// survey walks from what is pruned already up to a checkpoint. It checks every
// link on its way: what does not hold must not be made to vanish.
func survey(ctx context.Context, v *auditlog.View, through auditlog.CheckpointAt) (Survey, error) {
	w := &surveyor{hasher: chain.NewHasher(), kept: sha256.New()}
	if err := w.earlier(ctx, v); err != nil {
		return Survey{}, fmt.Errorf("read entries that stay: %w", err)
	}
	for e, err := range v.Entries(ctx, w.next, through.Offset) {
		if err == nil {
			err = w.entry(e)
		}
		if err != nil {
			return Survey{}, fmt.Errorf("read entries to prune: %w", err)
		}
	}
	if w.next != through.Offset+1 || w.prev != through.Root {
		return Survey{}, fmt.Errorf("read entries to prune up to %d: %w", through.Offset, ErrBroken)
	}
	w.found.KeptHash = chain.Hash(w.kept.Sum(nil))
	return w.found, nil
}

type surveyor struct {
	hasher *chain.Hasher
	kept   hash.Hash
	next   uint64
	prev   chain.Hash
	found  Survey
}

// earlier takes in what earlier cuts left. The walk begins behind it.
func (w *surveyor) earlier(ctx context.Context, v *auditlog.View) error {
	cut, ok := v.Cut()
	if !ok {
		return nil
	}
	for e, err := range v.Kept(ctx) {
		if err != nil {
			return err
		}
		if e.Offset >= cut.Offset {
			break // left by a cut that was not made
		}
		w.keep(e.Hash())
	}
	w.keep(cut.Root)
	w.next, w.prev = cut.Offset+1, cut.Root
	return nil
}

func (w *surveyor) keep(entry chain.Hash) {
	w.kept.Write(entry[:])
	w.found.Kept++
}

func (w *surveyor) entry(e auditlog.Entry) error {
	if e.Offset != w.next || e.PrevEntryHash != w.prev {
		return fmt.Errorf("entry %d: %w", w.next, ErrBroken)
	}
	w.next, w.prev = e.Offset+1, w.hasher.Entry(e.PrevEntryHash, e.Offset, e.Raw)
	kind, _, err := auditlog.Peek(e.Raw)
	if err != nil {
		return fmt.Errorf("entry %d: %w: %w", e.Offset, ErrBroken, err)
	}
	if auditlog.StaysForEver(kind) {
		w.keep(w.prev)
		w.found.Stay++
		return nil
	}
	w.found.Entries++
	w.found.Octets += uint64(len(e.Raw))
	w.found.Worth = w.found.Worth || kind != auditlog.KindPrune
	return nil
}

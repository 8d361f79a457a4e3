package archive

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"
)

// fetches is how many objects are read at a time.
const fetches = 8

// atOnce bounds how many manifests are looked for before those are checked: the number
// of the newest one may be anything.
const atOnce = 256

// history reads all manifests, in order, and checks that they are one chain. With
// keys, one of them must have signed the newest one, which names all others.
func (b *Bucket) history(ctx context.Context, keys note.Verifiers) ([]*sealed, error) {
	newest, err := b.newest(ctx, keys)
	if err != nil {
		return nil, err
	}
	all := []*sealed{newest} // the newest one first
	for next := newest; next.Number > 0; next = all[len(all)-1] {
		before, err := b.before(ctx, next.Number, keys)
		if err != nil {
			return nil, err
		}
		for _, m := range before {
			if err := follows(m, all[len(all)-1]); err != nil {
				return nil, b.failed("read", manifestKey(m.Number), err)
			}
			all = append(all, m)
		}
	}
	slices.Reverse(all)
	return all, nil
}

// before reads the manifests before a number, or some of them, the newest one first.
func (b *Bucket) before(ctx context.Context, number uint64, keys note.Verifiers) ([]*sealed, error) {
	list := make([]*sealed, min(number, atOnce))
	group, stopped := errgroup.WithContext(ctx)
	group.SetLimit(fetches)
	for i := range list {
		group.Go(func() (err error) {
			list[i], err = b.manifest(stopped, number-1-uint64(i), keys)
			return err
		})
	}
	return list, group.Wait()
}

// follows says whether the later manifest names the one before it, and goes on there.
func follows(before, m *sealed) error {
	switch {
	case m.Previous != before.Digest:
		return fmt.Errorf("%w: its SHA-256 is %s, but manifest %d names %s", ErrAltered, before.Digest, m.Number, m.Previous)
	case m.LogID != before.LogID:
		return fmt.Errorf("%w: it is of log %s, manifest %d of log %s", ErrAltered, before.LogID, m.Number, m.LogID)
	case m.beginning() != before.beginning():
		return fmt.Errorf("%w: it begins at offset %d, manifest %d at %d, or they name other remains", ErrAltered, before.first(), m.Number, m.first())
	case len(m.Segments) > 0 && m.Segments[0].First != before.Through.Offset+1:
		return fmt.Errorf("%w: it ends at offset %d, but manifest %d goes on at %d", ErrAltered, before.Through.Offset, m.Number, m.Segments[0].First)
	case len(m.Segments) == 0 && m.Through != before.Through:
		return fmt.Errorf("%w: it ends at offset %d, but manifest %d, which adds no entries, at %d",
			ErrAltered, before.Through.Offset, m.Number, m.Through.Offset)
	}
	return nil
}

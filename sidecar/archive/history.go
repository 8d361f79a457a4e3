package archive

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"
)

// fetches is how many objects are read at a time.
const fetches = 8

// history reads all manifests, in order, and checks that they are one chain. With
// keys, one of them must have signed the newest one, which names all others.
func (b *Bucket) history(ctx context.Context, keys note.Verifiers) ([]*sealed, error) {
	newest, err := b.newest(ctx, keys)
	if err != nil {
		return nil, err
	}
	all := make([]*sealed, newest.Number+1)
	all[newest.Number] = newest
	group, stopped := errgroup.WithContext(ctx)
	group.SetLimit(fetches)
	for number := range newest.Number {
		group.Go(func() (err error) {
			all[number], err = b.manifest(stopped, number, keys)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i := len(all) - 1; i > 0; i-- {
		if err := follows(all[i-1], all[i]); err != nil {
			return nil, b.failed("read", manifestKey(uint64(i-1)), err)
		}
	}
	return all, nil
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

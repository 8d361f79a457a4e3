package archive

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gocloud.dev/blob"
	"golang.org/x/mod/sumdb/note"
)

// Newest reads how far an archive reaches, by its newest manifest. With keys, one of
// them must have signed it. Errors: ErrEmpty, ErrAltered, ErrUnsigned, ErrVersion.
func (b *Bucket) Newest(ctx context.Context, keys note.Verifiers) (Standing, error) {
	m, err := b.newest(ctx, keys)
	if err != nil {
		return Standing{}, err
	}
	return b.standing(m), nil
}

func (b *Bucket) newest(ctx context.Context, keys note.Verifiers) (*sealed, error) {
	number, err := b.newestNumber(ctx)
	if err != nil {
		return nil, err
	}
	m, err := b.manifest(ctx, number, keys)
	if err != nil {
		return nil, err
	}
	if keys != nil && m.SignedBy == "" {
		return nil, b.failed("read", manifestKey(number), fmt.Errorf("%w: it has %d signatures", ErrUnsigned, m.Signatures))
	}
	return m, nil
}

// newestNumber lists the manifests. What else may be among them, such as what a
// folder keeps of a write that was interrupted, is none.
func (b *Bucket) newestNumber(ctx context.Context) (uint64, error) {
	newest, found := uint64(0), false
	list := b.bucket.List(&blob.ListOptions{Prefix: manifestPrefix})
	for {
		object, err := list.Next(ctx)
		if err == io.EOF { //nolint:errorlint // a connection that was lost has io.EOF in it
			break
		}
		if err != nil {
			return 0, fmt.Errorf("list manifests of archive %s: %w", b.name, discreet{err})
		}
		number, err := strconv.ParseUint(strings.TrimPrefix(object.Key, manifestPrefix), 10, 64)
		if err == nil && manifestKey(number) == object.Key {
			newest, found = max(newest, number), true
		}
	}
	if !found {
		return 0, fmt.Errorf("read archive %s: %w: it has no manifest", b.name, ErrEmpty)
	}
	return newest, nil
}

// manifest reads one manifest.
func (b *Bucket) manifest(ctx context.Context, number uint64, keys note.Verifiers) (*sealed, error) {
	key := manifestKey(number)
	object, err := b.readUpTo(ctx, key, maxManifest+1, nil)
	if err != nil {
		return nil, err
	}
	if len(object) > maxManifest {
		return nil, b.failed("read", key, fmt.Errorf("%w: it has more than %d bytes", ErrAltered, maxManifest))
	}
	m, err := unseal(object, keys)
	if err != nil {
		return nil, b.failed("read", key, err)
	}
	if m.Number != number {
		return nil, b.failed("read", key, fmt.Errorf("%w: it is manifest %d, under the name of %d", ErrAltered, m.Number, number))
	}
	return m, nil
}

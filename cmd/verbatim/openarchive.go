package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	signednote "golang.org/x/mod/sumdb/note"

	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
)

// fetch makes a log of an archive, in the cache or for this command alone, and opens
// it.
func (f *logFlags) fetch(ctx context.Context, w io.Writer) (v *auditlog.View, done func(), err error) {
	keys, err := archiveKeys(f.keys)
	if err != nil {
		return nil, nil, err
	}
	bucket, err := archive.Open(ctx, f.log, nil)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	if f.cache != "" {
		v, err := openCached(ctx, bucket, f.cache, keys, w)
		if err != nil {
			return nil, nil, err
		}
		return v, v.Close, nil
	}
	dir, remove, err := place(ctx, bucket, keys, w)
	if err != nil {
		return nil, nil, err
	}
	if v, err = auditlog.OpenReadOnly(dir); err != nil {
		remove()
		return nil, nil, err
	}
	return v, func() { v.Close(); remove() }, nil
}

// place returns a directory that has the archive's log.
func place(ctx context.Context, bucket *archive.Bucket, keys signednote.Verifiers, w io.Writer) (dir string, remove func(), err error) {
	if dir, err = os.MkdirTemp("", "verbatim-archive-"); err != nil {
		return "", nil, fmt.Errorf("restore archive: %w", err)
	}
	remove = func() { _ = os.RemoveAll(dir) } // nothing of it is needed any more
	if _, err := restore(ctx, bucket, dir, keys, w); err != nil {
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}

// openCached opens the archive's log in the cache. What is there from an earlier command
// has to begin and end as the archive does: its name alone does not say what it is.
func openCached(ctx context.Context, bucket *archive.Bucket, cache string, keys signednote.Verifiers, w io.Writer) (*auditlog.View, error) {
	dir, want, err := placeInCache(ctx, bucket, cache, keys, w)
	if err != nil {
		return nil, err
	}
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		return nil, fmt.Errorf("--cache: the copy of the archive there can't be used; remove it: %w", err)
	}
	if tip := v.Tip(); v.ID() != want.LogID || v.First() != want.First || tip.Offset != want.Through.Offset || tip.Hash != want.Through.Root {
		v.Close()
		return nil, fmt.Errorf("--cache: %s is not the copy of the archive that it was; remove it", dir)
	}
	return v, nil
}

// placeInCache makes the log beside its place in the cache, and moves it there when
// it is whole. Another command may do the same meanwhile.
func placeInCache(ctx context.Context, bucket *archive.Bucket, cache string, keys signednote.Verifiers, w io.Writer) (string, archive.Standing, error) {
	newest, err := bucket.Newest(ctx, keys)
	if err != nil {
		return "", newest, err
	}
	dir := filepath.Join(cache, newest.Digest.String())
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return dir, newest, err
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", newest, fmt.Errorf("make cache: %w", err)
	}
	scratch, err := os.MkdirTemp(cache, "incomplete-")
	if err != nil {
		return "", newest, fmt.Errorf("make cache: %w", err)
	}
	restored, err := restore(ctx, bucket, scratch, keys, w)
	if err == nil {
		// The archive may have grown since.
		dir = filepath.Join(cache, restored.Digest.String())
		if err = os.Rename(scratch, dir); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	return dir, restored, errors.Join(err, os.RemoveAll(scratch))
}

// restore makes a log of an archive, with progress on a terminal.
func restore(ctx context.Context, bucket *archive.Bucket, dir string, keys signednote.Verifiers, w io.Writer) (archive.Standing, error) {
	progress, started := bar{}, false
	defer func() { progress.end() }()
	return bucket.Restore(ctx, dir, archive.RestoreOptions{Keys: keys, Progress: func(done, all uint64) {
		if !started {
			progress, started = newBar(w, "restoring", int(all)), true
		}
		progress.set(int(done))
	}})
}

// archiveKeys reads verifier keys; nil if there are none.
func archiveKeys(texts []string) (signednote.Verifiers, error) {
	if len(texts) == 0 {
		return nil, nil //nolint:nilnil // no key is demanded
	}
	var list []signednote.Verifier
	for _, text := range texts {
		v, err := signednote.NewVerifier(text)
		if err != nil {
			// Not shown: it can be the key that signs.
			return nil, errors.New("read --archive-key: what is given is no verifier key, NAME+HASH+KEY: verbatim key show prints one")
		}
		list = append(list, v)
	}
	return signednote.VerifierList(list...), nil
}

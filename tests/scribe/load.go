package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	_ "gocloud.dev/blob/fileblob" // archives in a folder

	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/fsck"
)

// Beside a log is what another is made of.
func beside(dir, name string) string { return filepath.Join(filepath.Dir(dir), name) }

func archiveOf(ctx context.Context, dir string) (*archive.Bucket, error) {
	folder, err := filepath.Abs(beside(dir, "archive"))
	if err != nil {
		return nil, err
	}
	return archive.Open(ctx, "file://"+folder, nil)
}

// toArchive archives a log beside it, and removes the log.
func toArchive(ctx context.Context, dir string, out words) error {
	if err := os.Mkdir(beside(dir, "archive"), 0o700); err != nil {
		return err
	}
	bucket, err := archiveOf(ctx, dir)
	if err != nil {
		return err
	}
	_, err = archive.New(archive.Options{
		Bucket: bucket, Prefixes: [][]byte{[]byte("receipt/")},
		View: func() (*auditlog.View, func(), error) {
			v, err := auditlog.OpenReadOnly(dir)
			return v, func() { v.Close() }, err
		},
	}).Once(ctx)
	if err := errors.Join(err, bucket.Close()); err != nil {
		return err
	}
	out.say("taken")
	return os.RemoveAll(dir)
}

// restore makes the log of the archive beside it.
func restore(ctx context.Context, dir string, out words) error {
	bucket, err := archiveOf(ctx, dir)
	if err != nil {
		return err
	}
	_, err = bucket.Restore(ctx, dir, archive.RestoreOptions{})
	return out.loaded(errors.Join(err, bucket.Close()))
}

// damage moves a log away and removes one of its files, without which it can't be
// opened and nothing is lost.
func damage(dir, file string, out words) error {
	out.say("taken")
	damaged := beside(dir, "damaged")
	return errors.Join(os.Rename(dir, damaged), os.Remove(filepath.Join(damaged, file)))
}

// repair makes the log of the damaged one beside it. One of which it says that
// something is missing is removed, as by who tries again.
func repair(ctx context.Context, dir string, out words) error {
	r, err := fsck.RepairSynced(ctx, beside(dir, "damaged"), dir, nil)
	if err == nil && (r.Clean() || !r.Saved.OK() || r.Lost != nil || len(r.Dropped) > 0) {
		err = errors.Join(fmt.Errorf("repaired a log with %v into one with %v", r.Findings, r.Saved.Findings), os.RemoveAll(dir))
	}
	return out.loaded(err)
}

func (w words) loaded(err error) error {
	if err != nil {
		w.say("refused load: %v", err)
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	w.say("loaded")
	return nil
}

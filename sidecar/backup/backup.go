package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

// Errors by which callers decide.
var (
	// ErrExists: something is at the place of the copy already.
	ErrExists = errors.New("it is not empty, and nothing is ever replaced")
	// ErrInside: the copy would be a part of the log.
	ErrInside = errors.New("it is inside the log that is copied")
	// ErrVolume: the copy could not be moved to its place when it is complete.
	ErrVolume = errors.New("a volume is mounted there; name a directory in it")
	// ErrSymlink: a copy gets its place by a rename, which does not follow it.
	ErrSymlink = errors.New("it is a symbolic link; name the directory that it leads to, or one in it")
	// ErrItself: what is to be linked would be lost with the log.
	ErrItself = errors.New("it is the log that is copied, and no earlier backup of it")
	// ErrChanged: a process began to write the log meanwhile.
	ErrChanged = errors.New("the log changed while it was copied; try again")
	// ErrBusy: another process makes a copy at the same place.
	ErrBusy = errors.New("another process makes a copy there")
)

// Options are what is to be copied.
type Options struct {
	// From is a log that no process writes, a snapshot of one, or a backup.
	From string
	// To is the copy's place: absent, or an empty directory.
	To string
	// Like is an earlier backup; empty: none. Tables that are the same there are
	// linked: both need the disk once, and are lost together.
	Like string
	// Progress is called with the octets of the log's files done so far, of all; may
	// be nil.
	Progress func(done, all int64)
}

// Result is what a copy has.
type Result struct {
	ID chain.Hash
	// Tip is the newest entry, First the first that is not pruned.
	Tip   auditlog.Tip
	First uint64
	// Anchor says where the log's roots are published; nil: nowhere.
	Anchor *logv1.Anchor
	// Copied and Linked are octets.
	Copied, Linked int64
	// Report is what a verification of the whole copy found. What is wrong there is
	// wrong in the log.
	Report *verify.Report
}

// TakeSynced copies a log and returns after the copy is complete, verified, durable
// and in its place. After an error there is no copy, but for one that is said to be
// there. Errors: those of auditlog.OpenReadOnly for From; ErrExists, ErrInside,
// ErrVolume, ErrSymlink, ErrItself, ErrChanged, ErrBusy.
func TakeSynced(ctx context.Context, o Options) (*Result, error) {
	r, err := takeSynced(ctx, o, realDisk{})
	if err != nil {
		return nil, fmt.Errorf("copy log %s to %s: %w", o.From, o.To, err)
	}
	return r, nil
}

func takeSynced(ctx context.Context, o Options, d disk) (*Result, error) {
	seen, err := look(o.From)
	if err != nil {
		return nil, err
	}
	if err := free(o.From, o.To); err != nil {
		return nil, err
	}
	if o.Like != "" {
		if err := apart(o.From, o.Like); err != nil {
			return nil, err
		}
	}
	p, err := begin(o.To)
	if err != nil {
		return nil, err
	}
	defer p.end()
	r := &Result{}
	if err := fill(ctx, o, d, p.dir, r); err != nil {
		return nil, err
	}
	if err := check(ctx, p.dir, seen, r); err != nil {
		return nil, err
	}
	if err := d.rename(p.dir, o.To); err != nil {
		return nil, err
	}
	p.placed = true
	if err := d.syncDir(filepath.Dir(filepath.Clean(o.To))); err != nil {
		return nil, fmt.Errorf("it is complete and in its place, but may be gone after a power failure: %w", err)
	}
	return r, nil
}

// fill copies all files, and makes sure that they are of one moment.
func fill(ctx context.Context, o Options, d disk, to string, r *Result) error {
	before, err := state(o.From)
	if err != nil {
		return err
	}
	all, done := int64(0), int64(0)
	for _, f := range before {
		all += f.size
	}
	c := &copier{disk: d, from: o.From, to: to, like: o.Like, result: r}
	for _, f := range before {
		if err := c.fileSynced(ctx, f.name); err != nil {
			if after, bad := state(o.From); bad == nil && !slices.Equal(before, after) {
				return fmt.Errorf("%w: %w", ErrChanged, err)
			}
			return err
		}
		done += f.size
		if o.Progress != nil {
			o.Progress(done, all)
		}
	}
	after, err := state(o.From)
	if err != nil {
		return err
	}
	if !slices.Equal(before, after) {
		return ErrChanged
	}
	if err := auditlog.Available(o.From); err != nil {
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	return errors.Join(d.syncDir(filepath.Join(to, "db")), d.syncDir(to))
}

// fileState tells whether a file was written.
type fileState struct {
	name  string
	size  int64
	wrote time.Time
}

func state(dir string) ([]fileState, error) {
	names, err := auditlog.Files(dir)
	if err != nil {
		return nil, err
	}
	list := make([]fileState, len(names))
	for i, n := range names {
		info, err := os.Stat(filepath.Join(dir, n))
		if err != nil {
			return nil, fmt.Errorf("look at log: %w", err)
		}
		list[i] = fileState{n, info.Size(), info.ModTime()}
	}
	return list, nil
}

package fsck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// ErrNothingLeft says that no entry is proved: there is nothing of which a log can be
// made.
var ErrNothingLeft = errors.New("nothing of the log can be saved; a backup or an archive is needed")

// Repaired is what was saved, and what could not be.
type Repaired struct {
	*Report
	// Notes say what is not as it was.
	Notes []string
	// Dropped are tables that could not be read even in a copy. Entries that were in
	// them are missed as others are; of what is kept beside the chain nothing else tells.
	Dropped []string
	// Saved is what a verification of the new log found.
	Saved *verify.Report
}

// RepairSynced examines a log, and if something is wrong with it saves what is proved
// into a new log at to, which must be absent or empty. It returns after the new log is
// durable and verified; of a log in which nothing is wrong it makes none. The damaged
// log stays as it is. Errors: those of Examine, ErrNothingLeft, auditlog.ErrExists,
// auditlog.ErrNoCopy.
func RepairSynced(ctx context.Context, dir, to string, progress func(done uint64)) (*Repaired, error) {
	report, err := Examine(ctx, dir, progress)
	if err != nil || report.Clean() {
		return &Repaired{Report: report}, err
	}
	p := &Repaired{Report: report}
	left, end, err := p.open(ctx, dir, to)
	if err != nil {
		return p, fmt.Errorf("repair log: %w", err)
	}
	defer end()
	if err := p.save(ctx, left, to); err != nil {
		return p, fmt.Errorf("repair log: %w", err)
	}
	v, err := auditlog.OpenReadOnly(to)
	if err != nil {
		return p, fmt.Errorf("repair log: open what was saved: %w", err)
	}
	defer v.Close()
	if p.Saved, err = verify.Verify(ctx, v, verify.Options{}); err != nil {
		return p, fmt.Errorf("repair log: check what was saved: %w", err)
	}
	return p, nil
}

// open opens what is left: in a copy, if RocksDB doesn't know any more which files
// belong to the log, or gives less than there was and its files give more.
func (p *Repaired) open(ctx context.Context, dir, to string) (left *auditlog.Remains, end func(), err error) {
	if p.Looked && p.Lost == nil && p.Proved != nil {
		left, err = auditlog.OpenRemains(dir)
		if err != nil {
			return nil, nil, err
		}
		return left, left.Close, nil
	}
	rebuilt, end, rebuildErr := rebuild(dir, to)
	if rebuildErr == nil {
		other := &Report{}
		if _, err := survey(ctx, other, rebuilt, nil); err != nil {
			end()
			return nil, nil, err
		}
		if !p.Looked || other.reach() > p.reach() {
			p.note("which files belong to the store was found out by RocksDB, in a copy of it")
			for _, name := range rebuilt.Dropped() {
				p.Dropped = append(p.Dropped, name)
				p.note("file db/%s can't be read: what it held is lost, and receipts, signed checkpoints or holds may be among it", name)
			}
			return rebuilt, end, nil
		}
		end()
	}
	if errors.Is(rebuildErr, auditlog.ErrNoCopy) {
		return nil, nil, rebuildErr // a copy may give more than what is read in place
	}
	if !p.Looked {
		return nil, nil, errors.Join(ErrNothingLeft, rebuildErr)
	}
	if left, err = auditlog.OpenRemains(dir); err != nil {
		return nil, nil, err
	}
	return left, left.Close, nil
}

// reach is the first offset that is not proved.
func (r *Report) reach() uint64 {
	if r.Proved == nil {
		return 0
	}
	return r.Proved.Last + 1
}

// rebuild makes a copy beside the new log's place, which end removes.
func rebuild(dir, to string) (left *auditlog.Remains, end func(), err error) {
	beside := filepath.Dir(filepath.Clean(to))
	if err := os.MkdirAll(beside, 0o700); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", auditlog.ErrNoCopy, err)
	}
	scratch, err := os.MkdirTemp(beside, filepath.Base(to)+".scratch-*")
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", auditlog.ErrNoCopy, err)
	}
	remove := func() { os.RemoveAll(scratch) } //nolint:errcheck // it is a copy
	if left, err = auditlog.RebuildRemains(dir, scratch); err != nil {
		remove()
		return nil, nil, err
	}
	return left, func() { left.Close(); remove() }, nil
}

func (p *Repaired) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

// save loads what is proved, and keeps what stands beside it.
func (p *Repaired) save(ctx context.Context, left *auditlog.Remains, to string) error {
	var loader *auditlog.Loader
	w, err := survey(ctx, p.Report, left, func(from begins) (take func(auditlog.Entry) error, err error) {
		if loader, err = auditlog.NewLoader(to, auditlog.LoadOptions{Cut: from.cut, Base: from.base}); err != nil {
			return nil, err
		}
		if from.cut == (auditlog.Cut{}) {
			return loader.Add, nil
		}
		return loader.Add, p.pruned(loader, left, from)
	})
	if err == nil && (w == nil || p.Proved == nil) {
		err = fmt.Errorf("%w: %s", ErrNothingLeft, p.Why)
	}
	if err == nil {
		err = p.records(loader, left)
	}
	if err != nil {
		if loader != nil {
			err = errors.Join(err, loader.Abandon())
		}
		return err
	}
	if w.relinked > 0 && w.firstRelinked < w.proved {
		p.note("the links of some entries, the first at %d, were lost or wrong: what follows them proves what they were", w.firstRelinked)
	}
	return loader.Close()
}

// records are taken over as they are.
func (p *Repaired) records(loader *auditlog.Loader, left *auditlog.Remains) error {
	records, err := left.Records()
	if err != nil {
		p.note("some of what is kept beside the chain (receipts, signed checkpoints) is lost: %v", err)
	}
	return loader.Keep(records...)
}

package archive

import (
	"errors"
	"fmt"

	"verbatim/sidecar/auditlog"
)

// check says whether an archive is this log's, of the same history, and still has
// what the log knows to be in it. newest is nil where there is no archive yet.
func (a *Archiver) check(v *auditlog.View, newest *sealed) error {
	known, found, err := Through(v, a.o.Bucket.name)
	if err != nil {
		return err
	}
	name := a.o.Bucket.name
	const way = "find out who changed it, and archive under another prefix if it can't be brought back"
	switch {
	case found && (newest == nil || newest.Number < known.Manifest):
		return fmt.Errorf("archive log into %s: %w: manifest %d was there and is gone; %s", name, ErrRolledBack, known.Manifest, way)
	case found && newest.Number == known.Manifest && newest.Digest != known.Digest:
		return fmt.Errorf("archive log into %s: %w: manifest %d is another than the one that was written; %s", name, ErrRolledBack, known.Manifest, way)
	case newest == nil:
		return nil
	case newest.LogID != v.ID():
		return fmt.Errorf("archive log into %s: %w: it has log %s, this is log %s; name another prefix", name, ErrForeign, newest.LogID, v.ID())
	}
	if err := sameHistory(v, newest.Through, name); err != nil {
		return err
	}
	if v.First() < newest.first() {
		return fmt.Errorf("archive log into %s: %w: it begins at offset %d, where a copy of this log was pruned, and this one has the entries from offset %d on; name another prefix",
			name, ErrLate, newest.first(), v.First())
	}
	if v.First() > newest.Through.Offset {
		return fmt.Errorf("archive log into %s: %w: it reaches to offset %d, but the log was pruned up to %d",
			name, ErrHole, newest.Through.Offset, v.First()-1)
	}
	return nil
}

// sameHistory compares the newest archived entry with the log's.
func sameHistory(v *auditlog.View, end End, name string) error {
	e, err := v.Entry(end.Offset)
	if errors.Is(err, auditlog.ErrNoEntry) {
		return fmt.Errorf("archive log into %s: %w: it reaches to offset %d, the log only to %d", name, ErrFork, end.Offset, v.Tip().Offset)
	}
	if errors.Is(err, auditlog.ErrPruned) {
		// The archive ends with a checkpoint, and those outlive every pruning.
		return fmt.Errorf("archive log into %s: %w: at offset %d it has checkpoint %d, and this log never had one there", name, ErrFork, end.Offset, end.CheckpointID)
	}
	if err != nil {
		return err
	}
	if got := e.Hash(); got != end.Root {
		return fmt.Errorf("archive log into %s: %w: at offset %d it has the root %s, the log has %s", name, ErrFork, end.Offset, end.Root, got)
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"

	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/retention"
)

// archivedUpTo is how far a log is archived, as it was asked already.
type archivedUpTo struct{ archive.Standing }

// ArchivedThrough is for retention.
func (a archivedUpTo) ArchivedThrough(context.Context) (offset uint64, manifestSHA256 []byte, ok bool, err error) {
	return a.Through.Offset, a.Digest[:], true, nil
}

// askArchive asks the archive that was named how far it has this log; nil if none was.
func (p *pruning) askArchive(ctx context.Context, v *auditlog.View) (a retention.Archive, err error) {
	if p.archive == "" {
		return nil, nil //nolint:nilnil // there is none to wait for
	}
	bucket, err := archive.Open(ctx, p.archive, nil)
	if err != nil {
		return nil, fmt.Errorf("--archive: %w", err)
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	s, err := bucket.Newest(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("--archive: %w", err)
	}
	if s.LogID != v.ID() {
		return nil, fmt.Errorf("--archive: %s has log %s, this one is %s; name this log's archive", s.Location, s.LogID, v.ID())
	}
	e, err := v.Entry(s.Through.Offset)
	if err != nil {
		return nil, fmt.Errorf("--archive: %s ends at offset %d, which this log can't read: %w", s.Location, s.Through.Offset, err)
	}
	if e.Hash() != s.Through.Root {
		return nil, fmt.Errorf("--archive: %s has %s at offset %d, this log has %s: it is the archive of another history", s.Location, s.Through.Root, e.Offset, e.Hash())
	}
	if s.First > v.First() {
		return nil, fmt.Errorf("--archive: %s begins at offset %d, and this log at %d: what is before it is not archived; name an archive that has it", s.Location, s.First, v.First())
	}
	return archivedUpTo{s}, nil
}

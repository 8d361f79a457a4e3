package archive

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"

	"golang.org/x/mod/sumdb/note"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// Options are an Archiver's settings.
type Options struct {
	// Bucket is where the archive is.
	Bucket *Bucket
	// View gives the log's present state; done ends its use. It is called once for
	// each manifest, so that no state is pinned for long.
	View func() (v *auditlog.View, done func(), err error)
	// Prefixes are of the records beside the chain that are archived too. A record
	// never changes, and new ones have keys behind the older ones'.
	Prefixes [][]byte
	// Signers sign manifests; none: they are not signed.
	Signers []note.Signer
	// Keys, one of which must have signed the newest manifest that is found; nil: it
	// need not be signed.
	Keys note.Verifiers
	// Keep is where how far the log is archived is kept for others; nil: nowhere.
	Keep Keeper
	// Observer is told of what happens; may be nil.
	Observer Observer
	// Logger gets what an operator has to know; nil: nothing is logged.
	Logger *slog.Logger
}

// Observer counts. Its methods must not block.
type Observer interface {
	// Archived is called for each manifest that was written, with the bytes of the
	// objects that went up for it.
	Archived(s Standing, bytes uint64)
	// ArchiveFailed is called for each attempt that failed.
	ArchiveFailed(err error)
}

// Archiver brings what is sealed in a log into its archive. It is not safe for use by
// several goroutines, and starts none.
type Archiver struct {
	o Options
	// Sizes of what goes into one object and into one manifest; tests make them small.
	segmentBytes, recordBytes uint64
	segments                  int
}

// Sizes in bytes, of what is not compressed, and in number.
const (
	segmentBytes        = 8 << 20 // S3 gets it in one request
	recordBytes         = 8 << 20
	segmentsPerManifest = 64
)

// New makes an Archiver.
func New(o Options) *Archiver {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Archiver{o: o, segmentBytes: segmentBytes, recordBytes: recordBytes, segments: segmentsPerManifest}
}

// Once archives all that is sealed and not archived yet, and returns how far the
// archive then reaches, after that is durable there and, with Options.Keep, kept in
// the log. After an error or a stop the next call goes on; what went up stays.
// Errors: ErrEmpty (nothing is sealed yet), ErrForeign, ErrFork, ErrRolledBack,
// ErrBroken, ErrHole, ErrLate, ErrOvertaken, ErrAltered, ErrUnsigned, or the storage's.
func (a *Archiver) Once(ctx context.Context) (Standing, error) {
	newest, err := a.o.Bucket.newest(ctx, a.o.Keys)
	if err != nil && !errors.Is(err, ErrEmpty) {
		return Standing{}, err
	}
	for {
		next, bytes, err := a.extend(ctx, newest)
		if err != nil {
			return Standing{}, err
		}
		if next == nil {
			break
		}
		newest = next
		if a.o.Observer != nil {
			a.o.Observer.Archived(a.o.Bucket.standing(newest), bytes)
		}
	}
	if newest == nil {
		return Standing{}, fmt.Errorf("archive log: %w: the log has no checkpoint yet, there is nothing to archive", ErrEmpty)
	}
	standing := a.o.Bucket.standing(newest)
	if a.o.Keep == nil {
		return standing, nil
	}
	return standing, keepStandingSynced(ctx, a.o.Keep, standing)
}

// extend adds one manifest to the archive; nil if there is nothing to add. bytes is
// what went up.
func (a *Archiver) extend(ctx context.Context, newest *sealed) (next *sealed, bytes uint64, err error) {
	v, done, err := a.o.View()
	if err != nil {
		return nil, 0, err
	}
	defer done()
	if err := a.check(v, newest); err != nil {
		return nil, 0, err
	}
	m := follow(v.ID(), newest)
	u := &upload{Archiver: a, ctx: ctx, view: v, manifest: m}
	if newest == nil {
		if err := u.remains(); err != nil {
			return nil, 0, err
		}
	}
	if err := u.segmentsThrough(newest); err != nil {
		return nil, 0, err
	}
	if newest == nil && len(m.Segments) == 0 {
		return nil, 0, nil // not even genesis is sealed
	}
	if err := u.records(); err != nil {
		return nil, 0, err
	}
	if len(m.Segments) == 0 && m.Records == nil {
		return nil, 0, nil
	}
	next, err = a.write(ctx, m)
	return next, u.bytes, err
}

// follow begins the manifest behind another; nil: the first.
func follow(id chain.Hash, newest *sealed) *Manifest {
	if newest == nil {
		return &Manifest{LogID: id}
	}
	return &Manifest{
		LogID: id, Number: newest.Number + 1, Previous: newest.Digest, Recorded: maps.Clone(newest.Recorded), Through: newest.Through,
		Remains: newest.Remains,
	}
}

// write makes a manifest the archive's newest. It returns after it is durable.
func (a *Archiver) write(ctx context.Context, m *Manifest) (*sealed, error) {
	b, err := seal(m, a.o.Signers)
	if err != nil {
		return nil, err
	}
	if len(b) > maxManifest {
		return nil, fmt.Errorf("write manifest %d of archive %s: it has %d bytes, more than %d", m.Number, a.o.Bucket.name, len(b), maxManifest)
	}
	if _, err = a.o.Bucket.keepSynced(ctx, manifestKey(m.Number), b); err != nil {
		if errors.Is(err, ErrAltered) {
			if _, other := a.o.Bucket.manifest(ctx, m.Number, nil); other == nil {
				return nil, a.o.Bucket.failed("write", manifestKey(m.Number), ErrOvertaken)
			}
		}
		return nil, err
	}
	s := &sealed{Manifest: m, Digest: chain.EventHash(b)}
	if n := len(a.o.Signers); n > 0 {
		s.SignedBy, s.Signatures = a.o.Signers[0].Name(), n
	}
	return s, nil
}

package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/note"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// RestoreOptions are the settings of Restore.
type RestoreOptions struct {
	// Keys, one of which must have signed the newest manifest; nil: it need not be
	// signed.
	Keys note.Verifiers
	// Progress is called now and then with the number of entries that are there, of
	// all; may be nil.
	Progress func(done, all uint64)
}

// Restore makes a log in dir, which must be absent or empty, out of the whole
// archive, and returns after it is durable. It checks every object's size and
// digest, every manifest and every link on the way. After an error dir holds no log.
// Errors: ErrEmpty, ErrMissing, ErrAltered, ErrUnsigned, ErrVersion, or the
// storage's.
func (b *Bucket) Restore(ctx context.Context, dir string, o RestoreOptions) (Standing, error) {
	manifests, err := b.history(ctx, o.Keys)
	if err != nil {
		return Standing{}, err
	}
	newest := manifests[len(manifests)-1]
	loader, err := b.begin(ctx, dir, newest)
	if err != nil {
		return Standing{}, err
	}
	r := &restoring{
		Bucket: b, ctx: ctx, o: o, into: loader, logID: newest.LogID, all: newest.Through.Offset + 1,
		links: links{hasher: chain.NewHasher(), next: newest.first(), root: newest.beginning().Cut.Root},
	}
	for _, m := range manifests {
		if err := r.manifest(m); err != nil {
			return Standing{}, errors.Join(err, loader.Abandon())
		}
	}
	if err := loader.Close(); err != nil {
		return Standing{}, err
	}
	if err := b.begun(ctx, dir, newest); err != nil {
		return Standing{}, err
	}
	return b.standing(newest), nil
}

// restoring is one restoration.
type restoring struct {
	*Bucket
	ctx   context.Context // of one call
	o     RestoreOptions
	into  *auditlog.Loader
	logID chain.Hash
	links links
	all   uint64
}

// manifest brings in what one manifest names.
func (r *restoring) manifest(m *sealed) error {
	for _, s := range m.Segments {
		object, err := r.read(r.ctx, s.key(), s.Object)
		if err != nil {
			return err
		}
		if err := r.segment(s, object); err != nil {
			return err
		}
		if r.o.Progress != nil {
			r.o.Progress(r.links.next, r.all)
		}
	}
	if m.Records == nil {
		return nil
	}
	object, err := r.read(r.ctx, m.Records.key(), m.Records.Object)
	if err != nil {
		return err
	}
	logID, list, err := decodeRecords(object)
	if err == nil && (logID != r.logID || uint64(len(list)) != m.Records.Count) {
		err = fmt.Errorf("it has %d records of log %s, the manifest names %d of log %s", len(list), logID, m.Records.Count, r.logID)
	}
	if err != nil {
		return r.altered(m.Records.key(), err)
	}
	return r.into.Keep(list...)
}

// segment brings in one segment's entries.
func (r *restoring) segment(s Segment, object []byte) error {
	in, err := openSegment(object)
	if err != nil {
		return r.altered(s.key(), err)
	}
	defer in.close()
	if in.logID != r.logID || in.first != s.First || in.first+in.count-1 != s.Last {
		return r.altered(s.key(), fmt.Errorf("it has entries %d to %d of log %s", in.first, in.first+in.count-1, in.logID))
	}
	for {
		if err := r.ctx.Err(); err != nil {
			return fmt.Errorf("restore archive %s: %w", r.name, context.Cause(r.ctx))
		}
		e, err := in.entry()
		if err == io.EOF { //nolint:errorlint // only itself is the end
			break
		}
		if err != nil {
			return r.altered(s.key(), err)
		}
		if _, err := r.links.follow(e); err != nil {
			return r.altered(s.key(), err)
		}
		if err := r.into.Add(e); err != nil {
			return fmt.Errorf("restore archive %s: %w", r.name, err)
		}
	}
	if r.links.prev != s.Root {
		return r.altered(s.key(), fmt.Errorf("entry %d has the hash %s, the manifest says %s", s.Last, r.links.prev, s.Root))
	}
	return nil
}

// altered is the error of an object that has the digest that the manifest names, but
// not what it should.
func (b *Bucket) altered(key string, err error) error {
	if errors.Is(err, ErrVersion) {
		return b.failed("read", key, err)
	}
	return b.failed("read", key, fmt.Errorf("%w: %w", ErrAltered, err))
}

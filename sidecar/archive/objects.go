package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"

	"verbatim/sidecar/chain"
)

// keepSynced puts an object under a name that has nothing yet, reads it back and
// compares it; what is there already is compared alone. It returns after the object
// is durable: that is what the storage promises of an object that it gives back, and
// in a folder files are synced. written says that it was not there before.
// ErrAltered: something else is under that name.
func (b *Bucket) keepSynced(ctx context.Context, key string, object []byte) (written bool, err error) {
	_, err = b.bucket.Attributes(ctx, key)
	if err != nil && !absent(err) {
		return false, b.failed("look for", key, err)
	}
	if err != nil {
		err := b.write(ctx, key, object)
		if written = err == nil; err != nil && gcerrors.Code(err) != gcerrors.FailedPrecondition {
			return false, b.failed("write", key, err)
		}
	}
	file := &folderFile{}
	got, err := b.readUpTo(ctx, key, uint64(len(object))+1, file)
	if err == nil {
		err = b.compare(key, got, Object{Digest: chain.EventHash(object), Size: uint64(len(object))})
	}
	return written, err
}

// write puts an object under a name only if it has nothing.
func (b *Bucket) write(ctx context.Context, key string, object []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	file := &folderFile{}
	w, err := b.bucket.NewWriter(ctx, key, &blob.WriterOptions{
		ContentType: "application/octet-stream", IfNotExist: true, BeforeWrite: file.takeNew,
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, &throttled{ctx: ctx, from: bytes.NewReader(object), limiter: b.limiter})
	if err == nil {
		err = file.sync() // before it gets its name
	}
	if err != nil {
		cancel() // Close then keeps nothing
		return errors.Join(err, w.Close())
	}
	return w.Close()
}

// read returns an object whole, once it is what it has to be.
func (b *Bucket) read(ctx context.Context, key string, want Object) ([]byte, error) {
	// One byte more than it has to have, so that more is seen and not read.
	object, err := b.readUpTo(ctx, key, want.Size+1, nil)
	if err != nil {
		return nil, err
	}
	return object, b.compare(key, object, want)
}

func (b *Bucket) compare(key string, object []byte, want Object) error {
	switch size, digest := uint64(len(object)), chain.EventHash(object); {
	case size < want.Size:
		return b.failed("read", key, fmt.Errorf("%w: it has %d bytes, not %d", ErrAltered, size, want.Size))
	case size > want.Size:
		return b.failed("read", key, fmt.Errorf("%w: it has more than %d bytes", ErrAltered, want.Size))
	case digest != want.Digest:
		return b.failed("read", key, fmt.Errorf("%w: its SHA-256 is %s, not %s", ErrAltered, digest, want.Digest))
	}
	return nil
}

// readUpTo returns an object's first bytes, all of them if there are no more. With a
// file, it returns after that is synced, where the object is one.
func (b *Bucket) readUpTo(ctx context.Context, key string, most uint64, file *folderFile) ([]byte, error) {
	options := &blob.ReaderOptions{}
	if file != nil {
		options.BeforeRead = file.take
	}
	r, err := b.bucket.NewReader(ctx, key, options)
	if absent(err) {
		return nil, b.failed("read", key, ErrMissing)
	}
	if err != nil {
		return nil, b.failed("read", key, err)
	}
	object, err := io.ReadAll(io.LimitReader(&throttled{ctx: ctx, from: r, limiter: b.limiter}, int64(most)))
	if err == nil && file != nil {
		err = file.syncWithFolders(b.levels + strings.Count(key, "/"))
	}
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, b.failed("read", key, err)
	}
	return object, nil
}

// absent says whether an error is that nothing has a name. The drivers take two others
// for the same: Google's a refusal to tell, Azure's a server whose name is not known.
func absent(err error) bool {
	var answer *googleapi.Error
	var name *net.DNSError
	if errors.As(err, &answer) && answer.Code == http.StatusForbidden || errors.As(err, &name) {
		return false
	}
	return gcerrors.Code(err) == gcerrors.NotFound
}

func (b *Bucket) failed(what, key string, err error) error {
	return fmt.Errorf("%s object %s of archive %s: %w", what, key, b.name, discreet{err})
}

package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// copier copies files into a directory.
type copier struct {
	disk     disk
	from, to string
	// A backup whose equal tables are linked in place of copied; empty: none.
	like   string
	result *Result
}

// fileSynced returns after a file of the log is in the copy, synced and read back.
func (c *copier) fileSynced(ctx context.Context, name string) error {
	if linked, err := c.linkEqual(ctx, name); linked || err != nil {
		return err
	}
	sum, size, err := c.write(ctx, name)
	if err != nil {
		return fmt.Errorf("copy %s: %w", filepath.Join(c.from, name), err)
	}
	back, err := digest(ctx, filepath.Join(c.to, name), io.Discard)
	if err != nil {
		return fmt.Errorf("read %s back: %w", name, err)
	}
	if back != sum {
		return fmt.Errorf("read %s back: it is not what was written: %w", name, errDisk)
	}
	c.result.Copied += size
	return nil
}

var errDisk = errors.New("the disk that it was written to can't be relied on")

func (c *copier) write(ctx context.Context, name string) (sum [sha256.Size]byte, size int64, err error) {
	w, err := c.disk.create(filepath.Join(c.to, name))
	if err != nil {
		return sum, 0, err
	}
	count := &counter{w: w}
	sum, err = digest(ctx, filepath.Join(c.from, name), count)
	if err == nil {
		err = w.Sync()
	}
	return sum, count.n, errors.Join(err, w.Close())
}

// linkEqual links a table that the earlier backup has byte for byte: tables never
// change, and a backup never writes. Names alone say nothing: a log that was restored
// gives them again.
func (c *copier) linkEqual(ctx context.Context, name string) (bool, error) {
	if c.like == "" || !strings.HasSuffix(name, ".sst") {
		return false, nil
	}
	earlier := filepath.Join(c.like, name)
	mine, err := os.Stat(filepath.Join(c.from, name))
	if err != nil {
		return false, fmt.Errorf("copy %s: %w", name, err)
	}
	theirs, err := os.Stat(earlier)
	if err != nil || !theirs.Mode().IsRegular() || theirs.Size() != mine.Size() {
		return false, nil //nolint:nilerr // it has no such table
	}
	a, err := digest(ctx, filepath.Join(c.from, name), io.Discard)
	if err != nil {
		return false, fmt.Errorf("copy %s: %w", name, err)
	}
	if b, err := digest(ctx, earlier, io.Discard); err != nil || a != b {
		return false, ctx.Err()
	}
	if err := c.disk.link(earlier, filepath.Join(c.to, name)); err != nil {
		return false, nil //nolint:nilerr // another file system: it is copied
	}
	c.result.Linked += mine.Size()
	return true, nil
}

// digest is the SHA-256 of a file, which goes to w.
func digest(ctx context.Context, path string, w io.Writer) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close() //nolint:errcheck // read only
	h := sha256.New()
	if _, err := io.CopyBuffer(io.MultiWriter(h, w), untilDone{ctx, f}, make([]byte, 1<<20)); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// untilDone is a reader that ends with ctx.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

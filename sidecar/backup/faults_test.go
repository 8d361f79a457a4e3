package backup

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// failing is a disk of which one call fails, the one with a number; after says that it
// was carried out all the same.
type failing struct {
	realDisk
	at    int
	after bool
	calls []string
}

func (f *failing) step(name string, do func() error) error {
	f.calls = append(f.calls, name)
	if len(f.calls)-1 != f.at {
		return do()
	}
	if f.after {
		if err := do(); err != nil {
			return err
		}
	}
	return syscall.EIO
}

func (f *failing) create(path string) (w file, err error) {
	err = f.step("create", func() error { w, err = f.realDisk.create(path); return err })
	if err != nil {
		if w != nil {
			return nil, errors.Join(err, w.Close())
		}
		return nil, err
	}
	return &failingFile{w, f}, nil
}

func (f *failing) rename(from, to string) error {
	return f.step("rename", func() error { return f.realDisk.rename(from, to) })
}

func (f *failing) syncDir(path string) error {
	return f.step("sync directory", func() error { return f.realDisk.syncDir(path) })
}

type failingFile struct {
	file
	disk *failing
}

func (w *failingFile) Write(p []byte) (n int, err error) {
	err = w.disk.step("write", func() error { n, err = w.file.Write(p); return err })
	return n, err
}

func (w *failingFile) Sync() error { return w.disk.step("sync", w.file.Sync) }

func (w *failingFile) Close() error {
	return w.disk.step("close", w.file.Close)
}

// Each write, sync and rename fails once, and once it fails but was carried out: the
// copy is complete or not there, and the next attempt makes it.
func TestEachFailureLeavesACompleteCopyOrNone(t *testing.T) {
	dir := newLog(t, 12)
	counting := &failing{at: -1}
	if _, err := takeSynced(t.Context(), Options{From: dir, To: filepath.Join(t.TempDir(), "copy")}, counting); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"create", "write", "sync", "close", "rename", "sync directory"} {
		if !slices.Contains(counting.calls, kind) {
			t.Fatalf("no %s among %v", kind, counting.calls)
		}
	}
	last, tried := len(counting.calls)-1, map[string]bool{}
	for at := range counting.calls {
		for _, after := range []bool{false, true} {
			to := filepath.Join(t.TempDir(), "copy")
			_, err := takeSynced(t.Context(), Options{From: dir, To: to}, &failing{at: at, after: after})
			if !errors.Is(err, syscall.EIO) {
				t.Fatalf("%s %d: %v", counting.calls[at], at, err)
			}
			absent(t, to+partialSuffix)
			if there := at == last || at == last-1 && after; there {
				if tip(t, to) != tip(t, dir) || at == last && !strings.Contains(err.Error(), "in its place") {
					t.Errorf("the copy that is there: %v", err)
				}
				continue
			}
			absent(t, to)
			if tried[counting.calls[at]] {
				continue
			}
			tried[counting.calls[at]] = true
			if _, err := takeSynced(t.Context(), Options{From: dir, To: to}, realDisk{}); err != nil {
				t.Fatalf("after %s failed: %v", counting.calls[at], err)
			}
		}
	}
}

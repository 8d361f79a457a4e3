package evidence

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteSynced makes a file at a path, for its owner alone, and returns after it and its
// name are durable. It never replaces one. A file that could not be written whole is
// removed again.
func (f *File) WriteSynced(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write evidence: %w", err)
	}
	_, err = file.Write(f.raw)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		_ = os.Remove(path) // the first error is the one to tell
		return fmt.Errorf("write evidence: %w", err)
	}
	return nil
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

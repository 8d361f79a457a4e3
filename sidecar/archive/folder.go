package archive

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// folderFile is the file that an object is in a folder. Other kinds of storage show
// none, and there is nothing to be done.
type folderFile struct{ file *os.File }

// take gets the file, if there is one.
func (f *folderFile) take(as func(any) bool) error {
	as(&f.file)
	return nil
}

// takeNew gets a file that is to be written, and makes it its owner's alone.
func (f *folderFile) takeNew(as func(any) bool) error {
	if !as(&f.file) {
		return nil
	}
	if err := f.file.Chmod(0o600); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	return nil
}

// sync returns after fsync of the file.
func (f *folderFile) sync() error {
	if f.file == nil {
		return nil
	}
	if err := f.file.Sync(); err != nil {
		return fmt.Errorf("sync file: %w", err)
	}
	return nil
}

// syncWithFolders returns after fsync of the file and of so many folders that it is
// in, any of which may be new.
func (f *folderFile) syncWithFolders(levels int) error {
	if f.file == nil {
		return nil
	}
	if err := f.sync(); err != nil {
		return err
	}
	dir := filepath.Dir(f.file.Name())
	for range levels {
		d, err := os.Open(dir)
		if err != nil {
			return fmt.Errorf("sync folder: %w", err)
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return fmt.Errorf("sync folder %s: %w", dir, err)
		}
		dir = filepath.Dir(dir)
	}
	return nil
}

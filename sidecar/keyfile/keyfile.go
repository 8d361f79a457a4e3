// Package keyfile reads and makes files that hold one secret.
//
// It guarantees that a file that others can read or write is refused, that a file
// is made for its owner alone and never in place of another, and that no error
// shows what is in one. It does not guarantee that nobody read the file before.
package keyfile

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Read returns what is in a regular file that nobody but its owner can read, at
// most limit octets of it. Every error names the path, and none what is in it.
func Read(path string, limit int64) ([]byte, error) {
	// Opening a FIFO without O_NONBLOCK would wait for its writer.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("look at key file: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("key file %s is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("key file %s can be read or written by others (mode %04o): chmod 600 it, and use a new key if others had access", path, info.Mode().Perm())
	}
	content, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	return content, nil
}

// CreateSynced makes a file with mode 0600 and returns after it and its name are
// durable. It never replaces one. A file that could not be written whole is
// removed again.
func CreateSynced(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make key file: %w", err)
	}
	err = writeSynced(f, content)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		_ = os.Remove(path) // the first error is the one to tell
		return fmt.Errorf("make key file: %w", err)
	}
	return nil
}

func writeSynced(f *os.File, content []byte) error {
	if err := f.Chmod(0o600); err != nil { // whatever the umask
		return err
	}
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.Sync()
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closed := d.Close(); err == nil {
		err = closed
	}
	return err
}

package auditlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// claims are the logs that this process writes, by resolved path. RocksDB's own
// lock is a POSIX one: a process can't see its own, and loses it when it closes
// any descriptor of the file. So we never look at the file of a claimed log.
var claims struct {
	mu   sync.Mutex
	dirs map[string]bool
}

// claim makes this process the log's writer until release; ErrInUse if some
// process is already.
func claim(dir string) (release func(), err error) {
	path, err := resolve(dir)
	if err != nil {
		return nil, err
	}
	claims.mu.Lock()
	defer claims.mu.Unlock()
	if err := refuseWriter(dir, path); err != nil {
		return nil, err
	}
	if claims.dirs == nil {
		claims.dirs = map[string]bool{}
	}
	claims.dirs[path] = true
	return func() {
		claims.mu.Lock()
		defer claims.mu.Unlock()
		delete(claims.dirs, path)
	}, nil
}

// refuseBesideWriter fails with ErrInUse if a process writes the log.
func refuseBesideWriter(dir string) error {
	path, err := resolve(dir)
	if err != nil {
		return err
	}
	claims.mu.Lock()
	defer claims.mu.Unlock()
	return refuseWriter(dir, path)
}

func resolve(dir string) (string, error) {
	path, err := filepath.EvalSymlinks(dir)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", fmt.Errorf("open log %s: %w", dir, err)
	}
	return path, nil
}

// refuseWriter needs claims.mu.
func refuseWriter(dir, path string) error {
	pid := os.Getpid()
	if !claims.dirs[path] {
		var err error
		if pid, err = writerOf(path); err != nil {
			return fmt.Errorf("open log %s: %w", dir, err)
		}
	}
	if pid == 0 {
		return nil
	}
	return fmt.Errorf("open log %s: %w: process %d writes it, and a log has one writer", dir, ErrInUse, pid)
}

// writerOf returns the other process that writes the log, 0 if none does:
// RocksDB locks its LOCK file as long as it is open for writing.
func writerOf(dir string) (int, error) {
	f, err := os.Open(filepath.Join(dir, dbDir, "LOCK"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read lock: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock); err != nil {
		return 0, fmt.Errorf("read lock: %w", err)
	}
	if lock.Type == unix.F_UNLCK {
		return 0, nil
	}
	return int(lock.Pid), nil
}

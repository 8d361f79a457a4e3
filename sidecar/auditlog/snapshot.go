package auditlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Snapshot makes a hard-link copy of the log, in the log's own directory, that
// another process can open with OpenReadOnly. Whoever asked for it removes it
// with RemoveSnapshot; what is left over goes when the log is opened next.
func (l *Log) Snapshot() (string, error) {
	parent := filepath.Join(l.dir, snapshotsDir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", fmt.Errorf("make snapshot: %w", err)
	}
	dir, err := os.MkdirTemp(parent, "")
	if err != nil {
		return "", fmt.Errorf("make snapshot: %w", err)
	}
	s := l.access.current()
	err = l.access.with(s, func() error {
		c, err := s.db.NewCheckpoint()
		if err != nil {
			return err
		}
		defer c.Destroy()
		// 0 flushes the memtables, so that the copy needs no WAL.
		return c.CreateCheckpoint(filepath.Join(dir, dbDir), 0)
	})
	if err == nil {
		err = writeFormat(dir)
	}
	if err != nil {
		return "", fmt.Errorf("make snapshot: %w", errors.Join(err, os.RemoveAll(dir)))
	}
	return dir, nil
}

// RemoveSnapshot removes a copy that Snapshot made.
func RemoveSnapshot(dir string) error {
	if filepath.Base(filepath.Dir(dir)) != snapshotsDir {
		return fmt.Errorf("remove snapshot %s: it is not one", dir)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove snapshot: %w", err)
	}
	return nil
}

func removeSnapshots(dir string) error {
	if err := os.RemoveAll(filepath.Join(dir, snapshotsDir)); err != nil {
		return fmt.Errorf("remove old snapshots: %w", err)
	}
	return nil
}

package auditlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// FormatVersion is the format that this package writes and reads.
const FormatVersion = 1

const (
	formatFile   = "FORMAT"
	formatPrefix = "verbatim-log "
	dbDir        = "db"
	snapshotsDir = "snapshots"
	roomFile     = "room"
)

// checkDir says whether dir holds a log that we can read.
func checkDir(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open log %s: %w; create one with: verbatim init --log %s", dir, ErrNotFound, dir)
	}
	if errors.Is(err, fs.ErrPermission) {
		return forbidden(dir, err)
	}
	if err != nil {
		return fmt.Errorf("open log %s: %w", dir, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("open log %s: %w: it is not a directory", dir, ErrNotALog)
	}
	line, err := os.ReadFile(filepath.Join(dir, formatFile))
	if errors.Is(err, fs.ErrNotExist) {
		return noFormat(dir)
	}
	if errors.Is(err, fs.ErrPermission) {
		return forbidden(dir, err)
	}
	if err != nil {
		return fmt.Errorf("open log %s: %w: %w", dir, ErrNotALog, err)
	}
	return checkFormat(dir, string(line))
}

// forbidden is the refusal of a directory in which we may not look: whether a
// log is in it is not known.
func forbidden(dir string, err error) error {
	return fmt.Errorf("open log %s: %w; run this as the user whose serve writes the log", dir, err)
}

// noFormat tells an empty directory, in which a log can be made, from one of
// somebody else.
func noFormat(dir string) error {
	names, err := os.ReadDir(dir)
	if err == nil && len(names) == 0 {
		return fmt.Errorf("open log %s: %w: it is empty, and a new history never begins by accident; to begin one: verbatim init --log %s",
			dir, ErrNotALog, dir)
	}
	return fmt.Errorf("open log %s: %w: it has no file %s; name the directory that verbatim init made", dir, ErrNotALog, formatFile)
}

func checkFormat(dir, line string) error {
	version, ok := strings.CutPrefix(strings.TrimSpace(line), formatPrefix)
	if !ok {
		return fmt.Errorf("open log %s: %w: its file %s does not begin with %q", dir, ErrNotALog, formatFile, formatPrefix)
	}
	if version != fmt.Sprint(FormatVersion) {
		return fmt.Errorf("open log %s: %w %q; this verbatim reads version %d", dir, ErrVersion, version, FormatVersion)
	}
	return nil
}

// writeFormat makes dir a log: the last step of creating one. It returns after
// fsync of the file, of the directory and of the one that it is in.
func writeFormat(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, formatFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create %s: %w", formatFile, err)
	}
	_, err = fmt.Fprintf(f, "%s%d\n", formatPrefix, FormatVersion)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", formatFile, err)
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// syncDir returns after fsync of a directory.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

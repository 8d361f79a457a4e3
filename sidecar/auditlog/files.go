package auditlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Files are the files that make a log, relative to dir: whoever copies all of them
// while nobody writes the log has the log. What belongs to a running process is not
// among them. FORMAT is the last: with it a directory is a log.
func Files(dir string) ([]string, error) {
	list, err := os.ReadDir(filepath.Join(dir, dbDir))
	if err != nil {
		return nil, fmt.Errorf("list files of log %s: %w", dir, err)
	}
	var names []string
	for _, d := range list {
		if d.Type().IsRegular() && d.Name() != "LOCK" && !strings.HasPrefix(d.Name(), "LOG") {
			names = append(names, filepath.Join(dbDir, d.Name()))
		}
	}
	switch _, err := os.Lstat(filepath.Join(dir, markFile)); {
	case err == nil:
		names = append(names, markFile)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("list files of log %s: %w", dir, err)
	}
	return append(names, formatFile), nil
}

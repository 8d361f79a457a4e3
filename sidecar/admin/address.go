package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// addressFile is where a log's directory names its admin port: one line,
// "host:port".
const addressFile = "admin"

// WriteAddress names the admin port of the process that writes the log. Only
// the log's owner can read it, and a reader sees the old line or the new one.
func WriteAddress(logDir, addr string) error {
	path := filepath.Join(logDir, addressFile)
	next := path + ".new"
	if err := os.WriteFile(next, []byte(addr+"\n"), 0o600); err != nil {
		return fmt.Errorf("write admin address: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write admin address: %w", errors.Join(err, os.Remove(next)))
	}
	return nil
}

// RemoveAddress takes the name away when the port closes; there may be none.
func RemoveAddress(logDir string) error {
	err := os.Remove(filepath.Join(logDir, addressFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove admin address: %w", err)
	}
	return nil
}

func readAddress(logDir string) (string, error) {
	path := filepath.Join(logDir, addressFile)
	line, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: there is no file %s, which verbatim serve writes while it runs on the log", ErrNoAddress, path)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoAddress, err)
	}
	addr := strings.TrimSpace(string(line))
	if addr == "" {
		return "", fmt.Errorf("%w: the file %s is empty", ErrNoAddress, path)
	}
	return addr, nil
}

package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"verbatim/sidecar/chain"
)

// addressFile is where a log's directory names its admin port: one line,
// "host:port" and the log's id in hexadecimal. A process that was killed leaves it, and
// another log's may have the port by now: the id tells.
const addressFile = "admin"

// WriteAddress names the admin port of the process that writes the log with this id.
// Only the log's owner can read it, and a reader sees the old line or the new one.
func WriteAddress(logDir, addr string, id chain.Hash) error {
	path := filepath.Join(logDir, addressFile)
	next := path + ".new"
	if err := os.WriteFile(next, []byte(addr+" "+id.String()+"\n"), 0o600); err != nil {
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

func readAddress(logDir string) (addr string, id chain.Hash, err error) {
	path := filepath.Join(logDir, addressFile)
	line, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", id, fmt.Errorf("%w: there is no file %s, which verbatim serve writes while it runs on the log", ErrNoAddress, path)
	}
	if err != nil {
		return "", id, fmt.Errorf("%w: %w", ErrNoAddress, err)
	}
	addr, log, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
	if addr == "" {
		return "", id, fmt.Errorf("%w: the file %s is empty", ErrNoAddress, path)
	}
	if id, err = chain.ParseHash(log); err != nil {
		return "", id, fmt.Errorf("%w: the file %s doesn't say of which log: start verbatim serve again: %w", ErrNoAddress, path, err)
	}
	return addr, id, nil
}

package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// partialSuffix is behind the name of a copy that is being made.
const partialSuffix = ".partial"

// free fails if a copy can't come to a place.
func free(from, to string) error {
	names, err := os.ReadDir(to)
	if err == nil && len(names) > 0 {
		return fmt.Errorf("%w: it holds %s", ErrExists, names[0].Name())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	log, err := filepath.Abs(from)
	if err == nil {
		log, err = filepath.EvalSymlinks(log)
	}
	if err != nil {
		return err
	}
	parent, err := filepath.Abs(filepath.Dir(filepath.Clean(to)))
	if err == nil {
		parent, err = filepath.EvalSymlinks(parent)
	}
	if err != nil {
		return fmt.Errorf("%w; make the directory that it is to be in first", err)
	}
	if parent == log || strings.HasPrefix(parent, log+string(filepath.Separator)) {
		return ErrInside
	}
	return nil
}

// partial is the directory in which a copy is made. It is locked, and what a process
// that was killed left there goes.
type partial struct {
	dir    string
	lock   *os.File
	placed bool // it has its name
}

func begin(to string) (*partial, error) {
	p := &partial{dir: filepath.Clean(to) + partialSuffix}
	if err := os.Mkdir(p.dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	var err error
	if p.lock, err = os.Open(p.dir); err != nil {
		return nil, err
	}
	if err := unix.Flock(int(p.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s is locked: %w", ErrBusy, p.dir, err), p.lock.Close())
	}
	if err := p.empty(); err != nil {
		p.lock.Close() //nolint:errcheck // read only
		return nil, err
	}
	return p, nil
}

// empty removes what a process left that was killed, if it is that.
func (p *partial) empty() error {
	names, err := os.ReadDir(p.dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		switch n.Name() {
		case "db", "durable", "FORMAT":
			if err := os.RemoveAll(filepath.Join(p.dir, n.Name())); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is in the way: it holds %s", p.dir, n.Name())
		}
	}
	if err := os.Mkdir(filepath.Join(p.dir, "db"), 0o700); err != nil {
		return err
	}
	return os.Chmod(p.dir, 0o700)
}

// end removes what has not come to its place.
func (p *partial) end() {
	if !p.placed {
		os.RemoveAll(p.dir) //nolint:errcheck // what is left goes with the next attempt
	}
	p.lock.Close() //nolint:errcheck // read only
}

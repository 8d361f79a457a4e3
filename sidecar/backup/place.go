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
	if i, err := os.Lstat(filepath.Clean(to)); err == nil && i.Mode().Type() == fs.ModeSymlink {
		return ErrSymlink
	}
	names, err := os.ReadDir(to)
	if err == nil && len(names) > 0 {
		return fmt.Errorf("%w: it holds %s", ErrExists, names[0].Name())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && volume(to) {
		return ErrVolume
	}
	log, err := realPath(from)
	if err != nil {
		return err
	}
	parent, err := realPath(filepath.Dir(filepath.Clean(to)))
	if err != nil {
		return fmt.Errorf("%w; make the directory that it is to be in first", err)
	}
	if within(parent, log) {
		return ErrInside
	}
	return nil
}

// volume says that a directory is where a volume is mounted: nothing can be renamed to
// there, and what is beside it is on another volume.
func volume(dir string) bool {
	var stat unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, dir, 0, 0, &stat)
	return err == nil && stat.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

// apart fails if an earlier copy is the log itself, of which a snapshot is a part.
func apart(from, like string) error {
	log, err := realPath(from)
	if err != nil {
		return err
	}
	if earlier, err := realPath(like); err == nil && within(log, earlier) {
		return fmt.Errorf("take tables of %s: %w", like, ErrItself)
	}
	return nil
}

// realPath is a path that two names of one directory share.
func realPath(dir string) (string, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
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

package faults

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Call is one system call on a file below the directory, before it is done.
type Call struct {
	// Name is the call's, as in "fdatasync".
	Name string
	// Path is the file's, relative to the directory ("." is itself); of a call with
	// two names the first that is below it. To is the other one, absolute.
	Path, To string
	// Index counts the calls of a run from 0, Nth those with the same Name and Path.
	Index, Nth int

	shape  shape
	notice notice
	path   string // absolute
}

// String names the call so that a reader finds it: "write db/000004.log #3".
func (c Call) String() string { return fmt.Sprintf("%s %s #%d", c.Name, c.Path, c.Nth) }

// decode says what a call is about; ok is false if that is not below dir.
func decode(dir string, n notice) (c Call, ok bool, err error) {
	c = Call{notice: n, shape: shapes[int(n.number)]}
	c.Name = c.shape.name
	if c.Name == "sync_file_range" && n.args[3] == 0 {
		return c, false, nil // by flags 0 RocksDB asks whether there is such a call
	}
	if c.shape.op == opDescriptor || c.shape.op == opWrite {
		c.path, err = descriptorPath(n.thread, n.args[0])
	} else {
		c.path, err = namedPath(n, c.shape.dir, c.shape.path)
	}
	if err == nil && (c.shape.op == opRename || c.shape.op == opLink) {
		c.To, err = namedPath(n, c.shape.toDir, c.shape.to)
	}
	if err != nil {
		return c, false, err
	}
	if c.Path, ok = below(dir, c.path); !ok {
		c.Path, ok = below(dir, c.To)
	}
	return c, ok, nil
}

func below(dir, path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, dir)
	switch {
	case ok && rest == "":
		return ".", true
	case ok && rest[0] == '/':
		return rest[1:], true
	}
	return "", false
}

func descriptorPath(thread uint32, fd uint64) (string, error) {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", thread, int32(fd)))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil // a descriptor that is none
	}
	return path, err
}

// namedPath is an absolute path from a directory's descriptor and a name.
func namedPath(n notice, dir, path int) (string, error) {
	name, err := readString(n.thread, n.args[path])
	if err != nil || filepath.IsAbs(name) {
		return filepath.Clean(name), err
	}
	at := fmt.Sprintf("/proc/%d/cwd", n.thread)
	if dir != none && int32(n.args[dir]) != unix.AT_FDCWD {
		at = fmt.Sprintf("/proc/%d/fd/%d", n.thread, int32(n.args[dir]))
	}
	parent, err := os.Readlink(at)
	return filepath.Join(parent, name), err
}

// readMemory reads up to len(p) octets of the program, at least one.
func readMemory(thread uint32, at uint64, p []byte) (int, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", thread))
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // read only
	n, err := f.ReadAt(p, int64(at))
	if n > 0 {
		err = nil
	}
	return n, err
}

func readString(thread uint32, at uint64) (string, error) {
	p := make([]byte, unix.PathMax)
	n, err := readMemory(thread, at, p)
	if err != nil {
		return "", err
	}
	end := bytes.IndexByte(p[:n], 0)
	if end < 0 {
		return "", io.ErrUnexpectedEOF
	}
	return string(p[:end]), nil
}

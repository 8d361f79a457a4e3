package faults

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Outcome is what becomes of a call.
type Outcome struct {
	// Done: the call is carried out. Half: of a write the first half is; other
	// calls are not.
	Done, Half bool
	// Errno is what the program gets, 0: what the call gives.
	Errno unix.Errno
	// Kill ends the program in place of an answer.
	Kill bool
}

// Pass leaves a call alone.
var Pass = Outcome{Done: true}

func (o Outcome) String() string {
	how := map[[2]bool]string{{true, false}: "done, and ", {false, true}: "half done, and "}[[2]bool{o.Done, o.Half}]
	switch {
	case o.Kill:
		return how + "killed"
	case o.Errno != 0:
		return how + unix.ErrnoName(o.Errno)
	}
	return "passed"
}

// perform carries a call out in the program's place, on its own descriptors. What
// it gives is not told: the program gets an error or an end.
func perform(c Call, pid int, half bool) error {
	a, mode := c.notice.args, uint32(0o600)
	var more uint64
	if c.shape.more > 0 {
		more = a[c.shape.more]
	}
	switch c.shape.op {
	case opWrite, opDescriptor:
		return onDescriptor(c, pid, half)
	case opOpen:
		fd, err := unix.Open(c.path, int(more)|unix.O_CLOEXEC, mode)
		if err != nil {
			return err
		}
		return unix.Close(fd)
	case opRename:
		return unix.Rename(c.path, c.To)
	case opLink:
		return unix.Link(c.path, c.To)
	case opUnlink:
		if more&unix.AT_REMOVEDIR != 0 {
			return unix.Rmdir(c.path)
		}
		return unix.Unlink(c.path)
	case opRmdir:
		return unix.Rmdir(c.path)
	case opMkdir:
		return unix.Mkdir(c.path, uint32(more))
	case opChmod:
		return unix.Chmod(c.path, uint32(more))
	case opTruncate:
		return unix.Truncate(c.path, int64(more))
	}
	return fmt.Errorf("no way to do %s", c.Name)
}

// onDescriptor works on the program's own open file, so its position moves, too.
func onDescriptor(c Call, pid int, half bool) error {
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	defer unix.Close(process) //nolint:errcheck // of no file
	fd, err := unix.PidfdGetfd(process, int(c.notice.args[0]), 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // the program has it open
	a := c.notice.args
	if c.shape.op == opDescriptor {
		if half {
			return nil
		}
		_, _, errno := unix.Syscall6(uintptr(c.notice.number), uintptr(fd), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]), 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	}
	if c.Name != "write" && c.Name != "pwrite64" {
		return fmt.Errorf("no way to do %s", c.Name)
	}
	octets := make([]byte, a[2])
	if n, err := readMemory(c.notice.thread, a[1], octets); err != nil || n < len(octets) {
		return fmt.Errorf("read what is written: %d octets of %d: %w", n, len(octets), err)
	}
	if half {
		octets = octets[:len(octets)/2]
	}
	if c.Name == "write" {
		_, err = unix.Write(fd, octets)
	} else {
		_, err = unix.Pwrite(fd, octets, int64(a[3]))
	}
	return err
}

// resolve is the path under which the kernel knows a directory that may not be
// there yet.
func resolve(dir string) (string, error) {
	parent, err := filepath.EvalSymlinks(filepath.Dir(dir))
	if err != nil {
		return "", fmt.Errorf("resolve directory: %w", err)
	}
	if parent, err = filepath.Abs(parent); err != nil {
		return "", fmt.Errorf("resolve directory: %w", err)
	}
	path := filepath.Join(parent, filepath.Base(dir))
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
		return "", fmt.Errorf("resolve directory: %s is a symbolic link", dir)
	}
	return path, nil
}

package faults

import (
	"maps"

	"golang.org/x/sys/unix"
)

// operation is what a call does, whichever of its variants it is.
type operation int

const (
	opDescriptor operation = iota // anything on an open file but a write
	opWrite
	opOpen
	opRename
	opLink
	opUnlink
	opRmdir
	opMkdir
	opChmod
	opTruncate
)

const none = -1

// shape says where a call's arguments are: indexes, or none.
type shape struct {
	name string
	op   operation
	// dir and path are a directory's descriptor and the name in it; toDir and to
	// those of the second name, for opRename and opLink.
	dir, path, toDir, to int
	// more is the argument with flags, a mode or a length that goes with a path;
	// an open has its mode behind it.
	more int
}

// shapes are the calls that are asked about, by number.
var shapes = func() map[int]shape {
	all := map[int]shape{
		unix.SYS_OPENAT:    {name: "openat", op: opOpen, dir: 0, path: 1, more: 2},
		unix.SYS_RENAMEAT2: {name: "renameat2", op: opRename, dir: 0, path: 1, toDir: 2, to: 3},
		unix.SYS_LINKAT:    {name: "linkat", op: opLink, dir: 0, path: 1, toDir: 2, to: 3},
		unix.SYS_UNLINKAT:  {name: "unlinkat", op: opUnlink, dir: 0, path: 1, more: 2},
		unix.SYS_MKDIRAT:   {name: "mkdirat", op: opMkdir, dir: 0, path: 1, more: 2},
		unix.SYS_FCHMODAT:  {name: "fchmodat", op: opChmod, dir: 0, path: 1, more: 2},
		unix.SYS_TRUNCATE:  {name: "truncate", op: opTruncate, dir: none, path: 0, more: 1},
	}
	for number, name := range map[int]string{
		unix.SYS_WRITE: "write", unix.SYS_PWRITE64: "pwrite64",
		unix.SYS_WRITEV: "writev", unix.SYS_PWRITEV: "pwritev", unix.SYS_PWRITEV2: "pwritev2",
	} {
		all[number] = shape{name: name, op: opWrite}
	}
	for number, name := range map[int]string{
		unix.SYS_FSYNC: "fsync", unix.SYS_FDATASYNC: "fdatasync", unix.SYS_SYNC_FILE_RANGE: "sync_file_range",
		unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_FALLOCATE: "fallocate", unix.SYS_FCHMOD: "fchmod",
	} {
		all[number] = shape{name: name, op: opDescriptor}
	}
	maps.Copy(all, legacy)
	return all
}()

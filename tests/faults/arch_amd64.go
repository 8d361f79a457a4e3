package faults

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// legacy are calls that newer architectures don't have.
var legacy = map[int]shape{
	unix.SYS_OPEN:     {name: "open", op: opOpen, dir: none, path: 0, more: 1},
	unix.SYS_CREAT:    {name: "creat", op: opOpen, dir: none, path: 0, more: none},
	unix.SYS_RENAME:   {name: "rename", op: opRename, dir: none, path: 0, toDir: none, to: 1},
	unix.SYS_RENAMEAT: {name: "renameat", op: opRename, dir: 0, path: 1, toDir: 2, to: 3},
	unix.SYS_LINK:     {name: "link", op: opLink, dir: none, path: 0, toDir: none, to: 1},
	unix.SYS_UNLINK:   {name: "unlink", op: opUnlink, dir: none, path: 0, more: none},
	unix.SYS_RMDIR:    {name: "rmdir", op: opRmdir, dir: none, path: 0},
	unix.SYS_MKDIR:    {name: "mkdir", op: opMkdir, dir: none, path: 0, more: 1},
	unix.SYS_CHMOD:    {name: "chmod", op: opChmod, dir: none, path: 0, more: 1},
}

package faults

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// legacy are calls that newer architectures don't have.
var legacy = map[int]shape{}

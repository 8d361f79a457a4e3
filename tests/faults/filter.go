package faults

import (
	"fmt"
	"maps"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Where the kernel's seccomp_data has a call's number and architecture.
const (
	numberAt = 0
	archAt   = 4
)

// filter is a BPF program that lets the kernel ask about the calls in shapes.
func filter() []unix.SockFilter {
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	answer := func(with uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: with}
	}
	// equal skips one instruction unless the loaded word is k.
	equal := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jf: 1}
	}
	program := []unix.SockFilter{
		load(archAt), {Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: auditArch, Jt: 1},
		answer(unix.SECCOMP_RET_ALLOW), load(numberAt),
	}
	for _, number := range slices.Sorted(maps.Keys(shapes)) {
		program = append(program, equal(uint32(number)), answer(unix.SECCOMP_RET_USER_NOTIF))
	}
	return append(program, answer(unix.SECCOMP_RET_ALLOW))
}

// restrict puts the filter on this thread, and so on all that it starts, for ever.
// It returns the descriptor on which the kernel asks.
func restrict() (int, error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("restrict thread: %w", err)
	}
	program := filter()
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	// Of a call that this process was told of, only a deadly signal makes an end: it
	// is not made, and counted, twice.
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&p)))
	if errno != 0 {
		return 0, fmt.Errorf("install seccomp filter: %w", errno)
	}
	unix.CloseOnExec(int(fd))
	return int(fd), nil
}

// notice is the kernel's struct seccomp_notif.
type notice struct {
	id     uint64
	thread uint32
	_      uint32 // flags
	number int32
	_      uint32 // architecture
	_      uint64 // instruction
	args   [6]uint64
}

// reply is the kernel's struct seccomp_notif_resp.
type reply struct {
	id    uint64
	_     int64 // the result
	errno int32 // negative
	flags uint32
}

func receive(listener int) (notice, error) {
	var n notice
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return n, errno
	}
	return n, nil
}

func send(listener int, r reply) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&r)))
	if errno != 0 {
		return errno
	}
	return nil
}

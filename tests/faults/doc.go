// Package faults runs a program and decides about each of its system calls that
// changes or opens a file below one directory: it goes on, it fails, it is done and
// fails all the same, or the program is killed there. The calls of all threads are
// counted together, so exactly one is hit; strace counts for each thread.
//
// The kernel asks this process about the calls (seccomp's user notification, Linux
// 5.19 or newer, no privilege needed). The program needs no change and can't tell.
// Reads, closing and locks are not asked about, and neither is what writes through a
// mapping.
package faults

// Package frozenclock gives a program a clock that stands still until it is set:
// libfaketime (Debian's package faketime) lies between the program and the C
// library, and reads the time from a file.
//
// It guarantees that a time which was set is what the program's next look at the
// clock gives, in any of its processes, to the millisecond, and that the file is
// whole at any moment. It guarantees that what libfaketime is known not to reach is
// told from what it may reach: programs that are statically linked, or written in
// Go, or started with more rights than their caller.
//
// It does not guarantee that a program asks the C library for the time: one can ask
// the kernel itself. Nor does it look at programs that the program starts. The
// monotonic clock stays real, since event loops and timeouts wait by it, and so do
// the times of files.
package frozenclock

// Package backup copies a log to another directory, which is a log again: a backup
// of it, or what is restored from one.
//
// It guarantees that a copy is complete or not there: it is built beside its place
// under another name, every file is synced and read back, the whole of it is opened
// and verified, and only then it gets its name. It never replaces anything and never
// writes to the log that it reads. Where the log contradicts itself, so does the
// copy, and that is said.
//
// It does not ask a running process for its files: what it is given is a log that
// nobody writes, or a snapshot of one. It does not know whether the log went on since.
package backup

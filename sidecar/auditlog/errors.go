package auditlog

import "errors"

// Errors by which callers decide.
var (
	// ErrNotFound: there is no directory at the path.
	ErrNotFound = errors.New("no log there")
	// ErrNotALog: something else is at the path, or its file FORMAT can't be read.
	ErrNotALog = errors.New("not a verbatim log")
	// ErrVersion: the log's format version is not one that we read.
	ErrVersion = errors.New("unknown log format version")
	// ErrInUse: another process writes this log.
	ErrInUse = errors.New("log is in use")
	// ErrDamaged: the log contradicts itself.
	ErrDamaged = errors.New("log is damaged")
	// ErrNotWritable: entries can't be made durable now. The entry was not
	// acknowledged; it may be in the log all the same, and is closed there.
	ErrNotWritable = errors.New("log is not writable")
	// ErrClosed: the log was closed.
	ErrClosed = errors.New("log is closed")
	// ErrNoEntry: the offset is not in the log.
	ErrNoEntry = errors.New("no such entry")
	// ErrPruned: the entry was pruned by the retention's rules.
	ErrPruned = errors.New("entry was pruned")
	// ErrReopened: the log was reopened after a failed write; take a new View.
	ErrReopened = errors.New("log was reopened")
	// ErrExists: a log can't be created where something is.
	ErrExists = errors.New("directory is not empty")
)

package archive

import "errors"

// Errors by which callers decide.
var (
	// ErrEmpty: there is no archive at the URL yet.
	ErrEmpty = errors.New("no archive there")
	// ErrMissing: an object that a manifest names is not there.
	ErrMissing = errors.New("object is missing")
	// ErrAltered: an object is not what was written under its name.
	ErrAltered = errors.New("object was altered")
	// ErrUnsigned: the newest manifest has no signature of a key that is known.
	ErrUnsigned = errors.New("manifest is not signed by a known key")
	// ErrForeign: the archive is another log's.
	ErrForeign = errors.New("archive of another log")
	// ErrFork: the archive has another history of this log.
	ErrFork = errors.New("archive of another history")
	// ErrBroken: the log's own links don't hold; nothing of it went up.
	ErrBroken = errors.New("log is broken")
	// ErrRolledBack: the archive has lost what it had.
	ErrRolledBack = errors.New("archive was rolled back")
	// ErrHole: the log does not have any more what is not archived yet.
	ErrHole = errors.New("entries are gone that were not archived")
	// ErrLate: the archive begins behind the log's first entry, and would never have it.
	ErrLate = errors.New("archive begins later than the log")
	// ErrOvertaken: another process wrote the manifest that was to be written.
	ErrOvertaken = errors.New("another process archives there")
	// ErrVersion: the archive's format is not one that we read.
	ErrVersion = errors.New("unknown archive format")
)

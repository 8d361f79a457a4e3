package forger

import (
	"slices"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/checkpoint"
)

// For which sizes the auditor's keyring takes the keys for good: the old one until the
// end of the second run, the new one from its first checkpoint on.
const (
	lastOfOld  = 302
	firstOfNew = 211
)

// forgery is one dishonest log, and what has to catch it.
type forgery struct {
	group, name string
	// public says that it can only be made where there is a ledger.
	public bool
	// pruned says that it is made of the log that was pruned.
	pruned bool
	// make changes a copy of an honest log in place.
	make func(f *forger)
	// by is the first finding of each rung that catches it, "code offset".
	by map[rung]string
}

var forgeries = slices.Concat(nothing, crude, full, signedAnew, besides, prunings)

// note signs a checkpoint of the honest log.
func (f *forger) note(c auditlog.CheckpointAt, keys ...*checkpoint.Key) []byte {
	f.t.Helper()
	note, err := checkpoint.Sign(checkpoint.Of(f.of.id, c), keys...)
	f.check(err)
	return note
}

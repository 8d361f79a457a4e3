package archive

import (
	"errors"
	"fmt"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// links follows a chain, entry by entry.
type links struct {
	hasher *chain.Hasher
	next   uint64
	prev   chain.Hash // entry hash of next-1
	// root is the entry hash of the first, where nobody has the one before it.
	root chain.Hash
}

// follow checks that an entry is the next one, and returns its entry hash.
func (l *links) follow(e auditlog.Entry) (chain.Hash, error) {
	if e.Offset != l.next {
		return chain.Hash{}, fmt.Errorf("there is no entry %d, the next one is %d", l.next, e.Offset)
	}
	begins := l.root != chain.Hash{}
	if !begins && e.PrevEntryHash != l.prev {
		return chain.Hash{}, fmt.Errorf("entry %d names %s as the one before it, which has the hash %s", e.Offset, e.PrevEntryHash, l.prev)
	}
	l.prev = l.hasher.Entry(e.PrevEntryHash, e.Offset, e.Raw)
	if begins && l.prev != l.root {
		return chain.Hash{}, fmt.Errorf("entry %d has the hash %s, but the log was cut there at root %s", e.Offset, l.prev, l.root)
	}
	l.root = chain.Hash{}
	l.next++
	return l.prev, nil
}

// last checks the newest entry that was followed: what comes behind it names its
// hash, or the log's stored root is that.
func (l *links) last(v *auditlog.View) error {
	named := v.Tip().Hash
	if v.Tip().Offset >= l.next {
		e, err := v.Entry(l.next)
		if err != nil {
			return fmt.Errorf("read log to archive it: %w", err)
		}
		named = e.PrevEntryHash
	}
	if named != l.prev {
		return broken(fmt.Errorf("entry %d has the hash %s, but what follows it names %s", l.next-1, l.prev, named))
	}
	return nil
}

// broken is the error of a log of which nothing goes up from here on.
func broken(err error) error {
	return fmt.Errorf("archive log: %w: %w; see verbatim verify", ErrBroken, err)
}

// lastCheckpoint finds the checkpoint with the highest id, of which none is missing
// from an id on. It reads a few of them alone.
func lastCheckpoint(v *auditlog.View, fromID uint64) (last auditlog.CheckpointAt, found bool, err error) {
	at := func(id uint64) bool {
		c, e := v.Checkpoint(id)
		switch {
		case e == nil:
			last, found = c, true
			return true
		case !errors.Is(e, auditlog.ErrNoEntry):
			err = fmt.Errorf("find newest checkpoint to archive: %w", e)
		}
		return false
	}
	if !at(fromID) {
		return last, false, err
	}
	id, step := fromID, uint64(1)
	for ; at(id + step); step *= 2 {
		id += step
	}
	for step /= 2; step > 0; step /= 2 {
		if at(id + step) {
			id += step
		}
	}
	return last, found, err
}

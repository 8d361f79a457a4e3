package checkpoint

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"verbatim/sidecar/auditlog"
)

// prefixNotes is the key of what is kept beside the chain; a checkpoint's id
// follows, eight octets, big endian.
var prefixNotes = []byte("checkpoint/note/")

// NotePrefix begins the keys of the records that are notes.
func NotePrefix() []byte { return slices.Clone(prefixNotes) }

func noteKey(id uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte{}, prefixNotes...), id)
}

// idOf is the checkpoint that a record is of; false if its key is none of a note's.
func idOf(key []byte) (uint64, bool) {
	if len(key) != len(prefixNotes)+8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[len(prefixNotes):]), true
}

// ErrNoNote says that a log keeps no signed note of a checkpoint.
var ErrNoNote = errors.New("no signed checkpoint")

// Kept returns a checkpoint's signed note as the log keeps it, octet by octet;
// ErrNoNote if it keeps none. Nothing of it is checked.
func Kept(v *auditlog.View, id uint64) ([]byte, error) {
	raw, err := v.Record(noteKey(id))
	if err != nil {
		return nil, fmt.Errorf("read note of checkpoint %d: %w", id, err)
	}
	if raw == nil {
		return nil, fmt.Errorf("read note of checkpoint %d: %w", id, ErrNoNote)
	}
	return raw, nil
}

// Newest returns the newest checkpoint that has a note, and the note; ErrNoNote if
// none has.
func Newest(v *auditlog.View) (id uint64, raw []byte, err error) {
	last, found, err := v.LastRecord(prefixNotes)
	if err != nil {
		return 0, nil, fmt.Errorf("read newest note: %w", err)
	}
	if !found {
		return 0, nil, fmt.Errorf("read newest note: %w", ErrNoNote)
	}
	if id, err = noteOf(last); err != nil {
		return 0, nil, fmt.Errorf("read newest note: %w", err)
	}
	return id, last.Value, nil
}

// FirstFrom returns the first checkpoint from an id on that has a note; ErrNoNote if none
// has. Nothing of the note is checked.
func FirstFrom(ctx context.Context, v *auditlog.View, from uint64) (id uint64, err error) {
	for r, err := range v.Records(ctx, prefixNotes, noteKey(from)) {
		if err == nil {
			id, err = noteOf(r)
		}
		if err != nil {
			return 0, fmt.Errorf("read notes from checkpoint %d on: %w", from, err)
		}
		return id, nil
	}
	return 0, fmt.Errorf("read notes from checkpoint %d on: %w", from, ErrNoNote)
}

// noteOf is the checkpoint that a record has the note of.
func noteOf(r auditlog.Record) (id uint64, err error) {
	id, ok := idOf(r.Key)
	if !ok {
		return 0, fmt.Errorf("%w: %q is no key of a note", auditlog.ErrDamaged, r.Key)
	}
	return id, nil
}

// keeper writes what has to survive a stop; the log is one.
type keeper interface {
	KeepSynced(ctx context.Context, records ...auditlog.Record) error
}

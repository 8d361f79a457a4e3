package checkpoint

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// Patience is how long, by the log's own clock, a checkpoint of a log that was not
// stopped may wait for its signature. It takes milliseconds.
const Patience = time.Minute

// Check compares a log's notes with its checkpoints, as they were walked. ring has the
// keys that the reader takes for good; nil: those that the log itself names are
// believed, which its owner chose. An error means that it could not be carried out.
func Check(ctx context.Context, v *auditlog.View, w *Walk, ring *Keyring) (*Standing, error) {
	c := &checker{walk: w, logID: v.ID(), ring: ring, s: &Standing{}, keys: map[int][]VerifierKey{}}
	notes, err := c.read(ctx, v)
	if err != nil {
		return nil, err
	}
	for _, at := range w.checkpoints {
		id := at.Checkpoint.GetCheckpointId()
		raw, found := notes[id]
		delete(notes, id)
		c.checkpoint(at, raw, found)
	}
	c.extra(notes)
	c.rest()
	return c.s, nil
}

// checker goes through the checkpoints in order.
type checker struct {
	walk  *Walk
	logID chain.Hash
	ring  *Keyring
	s     *Standing
	keys  map[int][]VerifierKey // of starts, as far as they were needed
	// Since the last note: checkpoints that need one and have none, and those that
	// need none.
	missing, unsigned []signable
}

// read reads all notes, by checkpoint.
func (c *checker) read(ctx context.Context, v *auditlog.View) (map[uint64][]byte, error) {
	notes := map[uint64][]byte{}
	for r, err := range v.Records(ctx, prefixNotes, nil) {
		if errors.Is(err, auditlog.ErrDamaged) {
			c.s.add(0, CodeNote, "notes can't be read: %v", err)
			break
		}
		if err != nil {
			return nil, err
		}
		if id, ok := idOf(r.Key); ok {
			notes[id] = r.Value
		} else {
			c.s.add(0, CodeNote, "a record is kept among the notes and is none: %q", r.Key)
		}
	}
	return notes, nil
}

// named are the keys that the chain names at a checkpoint.
func (c *checker) named(at signable) []string {
	if at.start < 0 {
		return nil
	}
	return c.walk.starts[at.start].keys
}

func (c *checker) checkpoint(at signable, raw []byte, found bool) {
	switch {
	case found:
		c.absent(c.missing)
		c.missing, c.unsigned = nil, nil
		c.note(at, raw)
	case len(c.named(at)) > 0:
		c.missing = append(c.missing, at)
	default:
		c.s.Unsigned++
		c.unsigned = append(c.unsigned, at)
	}
}

// absent says which notes are missing.
func (c *checker) absent(list []signable) {
	for _, at := range list {
		c.s.add(at.Offset, CodeUnsigned, "checkpoint %d has no signature, but the Start at offset %d names keys that sign it",
			at.Checkpoint.GetCheckpointId(), c.walk.starts[at.start].offset)
	}
}

// note compares one note with its checkpoint.
func (c *checker) note(at signable, raw []byte) {
	id := at.Checkpoint.GetCheckpointId()
	n, err := Parse(raw)
	if err != nil {
		c.s.add(at.Offset, CodeNote, "the note of checkpoint %d: %v", id, err)
		return
	}
	by, ok := c.inForce(at, n)
	if !ok {
		return
	}
	if c.ring != nil {
		if by, err = c.ring.Check(n); err != nil {
			c.s.add(at.Offset, codeOf(err), "the note of checkpoint %d: %v", id, err)
			return
		}
	}
	if want := Of(c.logID, at.CheckpointAt); n.Checkpoint != want {
		c.s.add(at.Offset, CodeSigned, "THE LOG IS NOT THE ONE THAT WAS SIGNED: the note of checkpoint %d has log %s, size %d, root %s, entry %s, the log has %s, %d, %s, %s",
			id, n.LogID, n.Size(), n.MerkleRoot, n.EntryHash, want.LogID, want.Size(), want.MerkleRoot, want.EntryHash)
		return
	}
	c.s.Notes++
	c.s.Through, c.s.By = &at.CheckpointAt, by
}

// inForce checks a note's signatures by the keys that the chain names: each is of
// one of them and good.
func (c *checker) inForce(at signable, n *Note) ([]KeyID, bool) {
	id := at.Checkpoint.GetCheckpointId()
	if len(c.named(at)) == 0 {
		c.s.add(at.Offset, CodeSignature, "checkpoint %d is signed by %s, but no key was in force", id, join(n.Signers()))
		return nil, false
	}
	keys, known := c.keys[at.start]
	if !known {
		var err error
		if keys, err = parseVerifierKeys(c.named(at)); err != nil {
			c.s.add(c.walk.starts[at.start].offset, CodeSignature, "the keys of this Start can't be read: %v", err)
		}
		c.keys[at.start] = keys
	}
	by, err := n.SignedBy(keys...)
	if err != nil {
		c.s.add(at.Offset, CodeSignature, "the note of checkpoint %d: %v", id, err)
		return nil, false
	}
	for _, signer := range n.Signers() {
		if !slices.Contains(by, signer) {
			c.s.add(at.Offset, CodeSignature, "checkpoint %d is signed by %s, which was not in force: the Start at offset %d does not name it",
				id, signer, c.walk.starts[at.start].offset)
			return nil, false
		}
	}
	return by, true
}

// extra says which notes are of no checkpoint.
func (c *checker) extra(notes map[uint64][]byte) {
	if !c.walk.whole {
		return // they may be of checkpoints that could not be checked
	}
	for _, id := range slices.Sorted(maps.Keys(notes)) {
		if c.walk.before(id) {
			continue // an earlier verification checked it
		}
		c.s.add(c.walk.tip+1, CodeNote, "there is a note of checkpoint %d, and the log has no such checkpoint: its end is cut off, or the note is of another log", id)
	}
}

// rest decides about what stands behind the newest note.
func (c *checker) rest() {
	for _, at := range c.missing {
		if late := c.walk.clockMS - at.ClockMS; c.walk.stopped() || late > uint64(Patience.Milliseconds()) {
			c.absent([]signable{at})
			continue
		}
		if c.s.NotYet == 0 {
			c.s.Since, c.s.NotYetFrom = time.UnixMilli(int64(at.ClockMS)), at.Offset
		}
		c.s.NotYet++
	}
	if c.ring == nil || !c.s.OK() {
		return
	}
	switch {
	case c.s.Through == nil:
		c.s.add(c.firstOffset(), CodeNotSigned, "nothing in this log is signed, and there are keys to check it with")
	case len(c.unsigned) > 0:
		c.s.add(c.unsigned[0].Offset, CodeNotSigned, "%d checkpoints behind the newest signed one are not signed, and no key was in force there",
			len(c.unsigned))
	}
}

func (c *checker) firstOffset() uint64 {
	if len(c.walk.checkpoints) == 0 {
		return 0
	}
	return c.walk.checkpoints[0].Offset
}

package fsck

import (
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// walk follows a chain by its events alone, and takes the entries that something else
// proves.
type walk struct {
	cut    auditlog.Cut
	tip    auditlog.Tip // zero hash: not known
	take   func(auditlog.Entry) error
	hasher *chain.Hasher
	tree   *chain.Tree
	next   uint64     // offset of the next entry
	prev   chain.Hash // hash of the one before it
	proved uint64     // the first offset that is not proved
	// Entries that nothing proves yet, and their octets.
	pending []auditlog.Entry
	size    int
	// Proved entries whose stored link was lost or wrong, and how many: the first.
	relinked, firstRelinked uint64
	why                     string // the walk ends here
	err                     error  // of take
}

// Bounds of what waits for a proof: more than a window.
const (
	maxPending      = 1 << 14
	maxPendingBytes = 256 << 20
)

func newWalk(cut auditlog.Cut, base [][]byte, tip auditlog.Tip, take func(auditlog.Entry) error) (*walk, error) {
	w := &walk{cut: cut, tip: tip, take: take, hasher: chain.NewHasher(), next: cut.Offset, proved: cut.Offset}
	var err error
	if w.tree, err = chain.RestoreTree(cut.Offset, base); err != nil {
		return nil, fmt.Errorf("tree of what was pruned: %w", err)
	}
	return w, nil
}

// end is false: nothing behind this can be proved.
func (w *walk) end(format string, args ...any) bool {
	w.why = fmt.Sprintf(format, args...)
	return false
}

// entry follows the chain by one entry; false ends it.
func (w *walk) entry(l auditlog.Left) bool {
	e := l.Entry
	if e.Offset != w.next {
		return w.end("entry %d is missing", w.next)
	}
	first := e.Offset == w.cut.Offset
	if first && e.Offset > 0 {
		w.prev = e.PrevEntryHash // which the root at the cut proves
	}
	linked := l.Linked && e.PrevEntryHash == w.prev
	if linked && !w.release() {
		return false
	}
	if !linked {
		if w.relinked++; w.relinked == 1 {
			w.firstRelinked = e.Offset
		}
	}
	e.PrevEntryHash = w.prev
	hash := w.hasher.Entry(w.prev, e.Offset, e.Raw)
	if !w.look(e, hash) {
		return false
	}
	w.tree.Add(hash)
	w.pending, w.size = append(w.pending, e), w.size+len(e.Raw)
	w.prev, w.next = hash, e.Offset+1
	if hash == w.tip.Hash && e.Offset == w.tip.Offset || first && e.Offset > 0 {
		return w.release()
	}
	if len(w.pending) > maxPending || w.size > maxPendingBytes {
		return w.end("nothing that is stored names the hash of entry %d or of one behind it", w.proved)
	}
	return true
}

// look at what an entry itself says.
func (w *walk) look(e auditlog.Entry, hash chain.Hash) bool {
	ev, err := e.Event()
	if err != nil {
		return w.end("entry %d is no event of this format: %v", e.Offset, err)
	}
	switch g := ev.GetGenesis(); {
	case e.Offset > 0 && e.Offset == w.cut.Offset:
		if hash != w.cut.Root {
			return w.end("the log was cut at root %s, but entry %d has the hash %s", w.cut.Root, e.Offset, hash)
		}
		if root, ok := chain.FromBytes(ev.GetCheckpoint().GetMerkleRoot()); !ok || root != w.tree.Root() {
			return w.end("the log was cut at %d, and the Merkle nodes of what was pruned are not those that it names", e.Offset)
		}
	case e.Offset == 0 && (g == nil || g.GetFormatVersion() != auditlog.FormatVersion):
		return w.end("entry 0 is no genesis of format version %d", auditlog.FormatVersion)
	}
	return w.footer(e.Offset, ev.GetCheckpoint())
}

// footer takes a checkpoint's word for the entries before it.
func (w *walk) footer(offset uint64, c *logv1.Checkpoint) bool {
	if c == nil || len(w.pending) == 0 {
		return true
	}
	if root, ok := chain.FromBytes(c.GetMerkleRoot()); !ok || root != w.tree.Root() {
		return w.end("checkpoint %d at %d has another Merkle root than the entries before it: entry %d, or one behind it, is not what it was",
			c.GetCheckpointId(), offset, w.proved)
	}
	return w.release()
}

// release takes what waits.
func (w *walk) release() bool {
	for _, e := range w.pending {
		if w.err = w.take(e); w.err != nil {
			return w.end("entry %d can't be taken: %v", e.Offset, w.err)
		}
		w.proved = e.Offset + 1
	}
	w.pending, w.size = nil, 0
	return true
}

// finish decides about the last entries, when the storage has no more.
func (w *walk) finish(readErr error) {
	switch {
	case w.why != "" || w.err != nil:
	case readErr != nil:
		w.why = readErr.Error()
	case len(w.pending) == 1 && w.alone(w.pending[0]):
		// Written in one piece with its hash: RocksDB's checksum is over both.
		w.release()
	case len(w.pending) > 0:
		w.why = fmt.Sprintf("nothing that is stored names the hash of entry %d, or of one behind it", w.proved)
	}
}

// alone says that an entry is stored with its own event hash, which fits.
func (w *walk) alone(e auditlog.Entry) bool {
	stored, ok := e.StoredEventHash()
	return ok && stored == chain.EventHash(e.Raw) && (w.relinked == 0 || w.firstRelinked < e.Offset)
}

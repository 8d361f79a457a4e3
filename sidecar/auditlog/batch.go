package auditlog

import (
	"fmt"
	"slices"

	"github.com/linxGnu/grocksdb"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

var keyTip = []byte("tip")

// batch is a group of entries that become durable together: one RocksDB write,
// one fdatasync.
type batch struct {
	tail   *tail
	hasher *chain.Hasher
	rocks  *grocksdb.WriteBatch
	mark   *mark
	cfs    struct{ entries, checkpoints, state *grocksdb.ColumnFamilyHandle }
	family func(name string) *grocksdb.ColumnFamilyHandle
	placed []placedEntry
	value  []byte
}

// placedEntry is what the index and the metrics need of an entry.
type placedEntry struct {
	kind    Kind
	status  uint32 // of a response
	offset  uint64
	clockMS uint64
	meters  []string
}

func newBatch(s *store, t *tail) *batch {
	b := &batch{tail: t, hasher: chain.NewHasher(), rocks: grocksdb.NewWriteBatch(), mark: s.mark, family: s.family}
	b.cfs.entries, b.cfs.checkpoints = s.family(cfEntries), s.family(cfCheckpoints)
	b.cfs.state = s.family(cfState)
	return b
}

func (b *batch) destroy() { b.rocks.Destroy() }

// place gives a draft its offset and its clock.
func (b *batch) place(d Draft, nowMS uint64) (Placed, error) {
	t := b.tail
	e := Entry{Offset: t.next, PrevEntryHash: t.prev}
	clockMS := t.clock(nowMS)
	var err error
	if e.Raw, err = d.stamp(clockMS); err != nil {
		return Placed{}, err
	}
	b.value = encodeEntry(b.value[:0], e)
	b.rocks.PutCF(b.cfs.entries, offsetKey(e.Offset), b.value)
	meters := t.advance(d, b.hasher.Entry(e.PrevEntryHash, e.Offset, e.Raw), clockMS)
	b.placed = append(b.placed, placedEntry{kind: d.Kind, status: d.Status, offset: e.Offset, clockMS: clockMS, meters: meters})
	return Placed{Offset: e.Offset, ClockMS: clockMS}, nil
}

// seal places a Checkpoint over the open window.
func (b *batch) seal(reason logv1.SealReason, skipped []*logv1.Skipped, nowMS uint64) error {
	t := b.tail
	merkleRoot, outputRoot, noEffects := t.tree.Root(), t.window.outputs.Sum(), chain.EventHash(nil)
	id, offset := t.nextID, t.next
	record := checkpointRecord(offset, t.tree.Nodes())
	d, err := NewDraft(&logv1.Event{Kind: &logv1.Event_Checkpoint{Checkpoint: &logv1.Checkpoint{
		CheckpointId: id, FirstOffset: t.window.first, LastOffset: offset - 1, Reason: reason,
		OutputCount: t.window.outputs.Count(), OutputRoot: outputRoot[:], MerkleRoot: merkleRoot[:],
		OpenRequests: t.openRequests(), Skipped: skipped, EffectRoot: noEffects[:],
	}}})
	if err != nil {
		return err
	}
	if _, err := b.place(d, nowMS); err != nil {
		return err
	}
	b.rocks.PutCF(b.cfs.checkpoints, offsetKey(id), record)
	return nil
}

// checkpointRecord is what a checkpoint is found and gone on from: its offset and
// the Merkle nodes of the entries before it.
func checkpointRecord(offset uint64, nodes [][]byte) []byte {
	return slices.Concat(append([][]byte{offsetKey(offset)}, nodes...)...)
}

// writeSynced returns after all that was placed or is to be kept is durable, the
// tip with it.
func (b *batch) writeSynced(w syncedWriter) error {
	if len(b.placed) == 0 {
		if err := w.writeSynced(b.rocks); err != nil {
			return fmt.Errorf("write records: %w", err)
		}
		return nil
	}
	tip := b.tail.tip()
	b.rocks.PutCF(b.cfs.state, keyTip, append(offsetKey(tip.Offset), tip.Hash[:]...))
	if err := w.writeSynced(b.rocks); err != nil {
		return fmt.Errorf("write entries %d to %d: %w", b.placed[0].offset, tip.Offset, err)
	}
	return b.mark.set(tip.Offset)
}

// syncedWriter is a store, or in tests one that fails.
type syncedWriter interface {
	writeSynced(*grocksdb.WriteBatch) error
}

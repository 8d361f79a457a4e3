package auditlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/linxGnu/grocksdb"

	"verbatim/sidecar/chain"
)

// LoadOptions are a Loader's settings.
type LoadOptions struct {
	// Cut is where the entries begin, if not with the genesis, and Base the Merkle
	// nodes of the entries before it (Tree.Nodes at size Cut.Offset).
	Cut  Cut
	Base [][]byte
}

// Loader makes a log of entries that exist already: from an archive, or from what is
// left of a damaged log. It adds nothing to them. It is not safe for use by several
// goroutines.
type Loader struct {
	dir    string
	s      *store
	tail   *tail
	batch  *grocksdb.WriteBatch
	size   int
	index  *index
	cut    Cut
	kept   map[uint64]uint64 // of checkpoints before the cut, by id
	nodes  map[chain.NodeID]chain.Hash
	hasher *chain.Hasher
}

// loadBytes bounds one write, in octets.
const loadBytes = 4 << 20

// NewLoader begins to make a log in dir, which must be absent or empty. Until Close
// has returned without error it is no log.
func NewLoader(dir string, o LoadOptions) (*Loader, error) {
	if err := makeEmptyDir(dir); err != nil {
		return nil, err
	}
	s, err := openStore(dir, create)
	if err != nil {
		return nil, errors.Join(err, Remove(dir)) // what RocksDB left would be in the way of the next one
	}
	l := &Loader{
		dir: dir, s: s, tail: newTail(DefaultInterval), batch: grocksdb.NewWriteBatch(), hasher: chain.NewHasher(), cut: o.Cut,
		kept: map[uint64]uint64{}, nodes: map[chain.NodeID]chain.Hash{},
	}
	l.index = &index{windows: []*window{newWindow(0, 0)}, wake: make(chan struct{}, 1)}
	if o.Cut == (Cut{}) {
		return l, nil
	}
	if l.tail.tree, err = chain.RestoreTree(o.Cut.Offset, o.Base); err != nil {
		return nil, errors.Join(err, l.Abandon())
	}
	l.tail.next = o.Cut.Offset
	return l, nil
}

// KeepEntry stores an entry before the cut that is kept for ever. Its place is proved
// by nodes, which go with it: see KeepNode.
func (l *Loader) KeepEntry(e Entry) error {
	ev, err := e.Event()
	if err != nil {
		return fmt.Errorf("load entry %d: %w: %w", e.Offset, ErrDamaged, err)
	}
	if c := ev.GetCheckpoint(); c != nil {
		l.kept[c.GetCheckpointId()] = e.Offset
	}
	l.batch.PutCF(l.s.family(cfKept), offsetKey(e.Offset), encodeEntry(nil, e))
	return l.grow(len(e.Raw))
}

// KeepNode stores a Merkle node of what is before the cut.
func (l *Loader) KeepNode(id chain.NodeID, hash chain.Hash) error {
	l.nodes[id] = hash
	l.batch.PutCF(l.s.family(cfTree), treeKey(id), hash[:])
	return l.grow(chain.Size)
}

// listKept records the checkpoints that are kept.
func (l *Loader) listKept() error {
	for id, offset := range l.kept {
		tree, err := chain.TreeAt(offset, func(node chain.NodeID) (chain.Hash, error) {
			h, ok := l.nodes[node]
			if !ok {
				return h, fmt.Errorf("%w: merkle node %d/%d of checkpoint %d is missing", ErrDamaged, node.Level, node.Index, id)
			}
			return h, nil
		})
		if err != nil {
			return err
		}
		l.batch.PutCF(l.s.family(cfCheckpoints), offsetKey(id), checkpointRecord(offset, tree.Nodes()))
	}
	return nil
}

// Keep stores records beside the chain.
func (l *Loader) Keep(records ...Record) error {
	for _, r := range records {
		l.batch.PutCF(l.s.family(cfRecords), r.Key, r.Value)
		if err := l.grow(len(r.Value)); err != nil {
			return err
		}
	}
	return nil
}

// Add takes the next entry. It must fit the chain; ErrDamaged if it does not, and then
// it is not taken.
func (l *Loader) Add(e Entry) error {
	t := l.tail
	if e.Offset != t.next {
		return fmt.Errorf("load entry %d: %w: the next is %d", e.Offset, ErrDamaged, t.next)
	}
	first := e.Offset == l.cut.Offset
	if !first && e.PrevEntryHash != t.prev {
		return fmt.Errorf("load entry %d: %w: it names %s as the one before it, which is %s", e.Offset, ErrDamaged, e.PrevEntryHash, t.prev)
	}
	hash := l.hasher.Entry(e.PrevEntryHash, e.Offset, e.Raw)
	if first && e.Offset > 0 && hash != l.cut.Root {
		return fmt.Errorf("load entry %d: %w: the log was cut at root %s, and this is %s", e.Offset, ErrDamaged, l.cut.Root, hash)
	}
	ev, err := e.Event()
	if err != nil {
		return fmt.Errorf("load entry %d: %w: %w", e.Offset, ErrDamaged, err)
	}
	if first && e.Offset > 0 {
		l.begin(ev.GetCheckpoint().GetCheckpointId() + 1)
	}
	d := describe(ev)
	record := checkpointRecord(e.Offset, t.tree.Nodes())
	meters := t.advance(d, hash, ev.GetWallClockMs())
	if c := ev.GetCheckpoint(); c != nil {
		l.batch.PutCF(l.s.family(cfCheckpoints), offsetKey(c.GetCheckpointId()), record)
	}
	l.batch.PutCF(l.s.family(cfEntries), offsetKey(e.Offset), encodeEntry(nil, e))
	return l.take(placedEntry{kind: d.Kind, status: d.Status, offset: e.Offset, clockMS: ev.GetWallClockMs(), meters: meters}, first, len(e.Raw))
}

// begin opens the first window that a cut leaves.
func (l *Loader) begin(id uint64) {
	l.index.windows = []*window{newWindow(id, l.cut.Offset)}
}

// take adds an entry to the index, and stores windows as they are sealed.
func (l *Loader) take(p placedEntry, first bool, size int) error {
	if first && p.offset > 0 {
		l.index.windows[0].firstMS = p.clockMS
		l.index.windows[0].lists.Add(p.offset, p.kind, p.status, p.meters)
		return l.grow(size)
	}
	if l.index.addEntry(p) {
		if err := l.write(); err != nil {
			return err
		}
		return l.index.writeSealed(l.s)
	}
	return l.grow(size)
}

func (l *Loader) grow(size int) error {
	if l.size += size; l.size < loadBytes {
		return nil
	}
	return l.write()
}

func (l *Loader) write() error {
	if err := l.s.writeLazy(l.batch); err != nil {
		return fmt.Errorf("load log: %w", err)
	}
	l.batch.Clear()
	l.size = 0
	return nil
}

// Close returns after all of it is durable in synced files and dir is a log. Requests
// without an outcome stay open: opening the log for writing closes them. A Loader that
// took no entry fails.
func (l *Loader) Close() error {
	if l.tail.next == l.cut.Offset {
		return errors.Join(fmt.Errorf("load log %s: %w: there is no entry", l.dir, ErrDamaged), l.Abandon())
	}
	if err := l.listKept(); err != nil {
		return errors.Join(fmt.Errorf("load log %s: %w", l.dir, err), l.Abandon())
	}
	tip := l.tail.tip()
	l.batch.PutCF(l.s.family(cfState), keyTip, append(offsetKey(tip.Offset), tip.Hash[:]...))
	if l.cut != (Cut{}) {
		l.batch.PutCF(l.s.family(cfState), keyCut, encodeCut(l.cut))
		l.batch.PutCF(l.s.family(cfState), keyCleared, offsetKey(l.cut.Offset))
	}
	err := errors.Join(l.s.writeSynced(l.batch), l.s.flush(), l.s.mark.set(tip.Offset))
	l.end()
	if err != nil {
		return fmt.Errorf("load log %s: %w", l.dir, err)
	}
	return writeFormat(l.dir)
}

// Abandon removes what was made.
func (l *Loader) Abandon() error {
	l.end()
	if err := Remove(l.dir); err != nil {
		return fmt.Errorf("remove unfinished log: %w", err)
	}
	return nil
}

// Remove removes all that is in a log's directory, first what makes it a log.
func Remove(dir string) error {
	err := os.Remove(filepath.Join(dir, formatFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	names, readErr := os.ReadDir(dir)
	err = errors.Join(err, readErr)
	for _, n := range names {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, n.Name())))
	}
	return err
}

func (l *Loader) end() {
	l.batch.Destroy()
	l.s.close()
}

// Nodes are the Merkle nodes that are kept of what is before the cut, in no order.
// They are what KeepNode takes.
func (v *View) Nodes(ctx context.Context) (map[chain.NodeID]chain.Hash, error) {
	nodes := map[chain.NodeID]chain.Hash{}
	var bad error
	err := v.eachStored(ctx, cfTree, func(key, value []byte) {
		id, ok := parseTreeKey(key)
		if !ok || len(value) != chain.Size {
			bad = fmt.Errorf("read merkle nodes: %w: key %x", ErrDamaged, bytes.Clone(key))
			return
		}
		if id.Index<<id.Level < v.First() {
			nodes[id] = chain.Hash(value)
		}
	})
	return nodes, errors.Join(err, bad)
}

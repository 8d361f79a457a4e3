package auditlog

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/linxGnu/grocksdb"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// entry reads one entry, wherever it is stored; ErrNoEntry if it isn't there.
func (s *store) entry(ro *grocksdb.ReadOptions, offset uint64) (Entry, error) {
	// In the order in which entries move: none is missed on its way.
	v, err := s.get(ro, cfEntries, offsetKey(offset))
	if err != nil {
		return Entry{}, fmt.Errorf("read entry %d: %w: %w", offset, ErrDamaged, err)
	}
	if v != nil {
		return decodeEntry(offset, v)
	}
	b := &block{}
	found, err := s.blockWith(ro, offset, b)
	if err != nil {
		return Entry{}, err
	}
	if found {
		return b.at(offset), nil
	}
	return s.kept(ro, offset)
}

// kept reads an entry that is kept of a pruned part; ErrNoEntry if it isn't there.
func (s *store) kept(ro *grocksdb.ReadOptions, offset uint64) (Entry, error) {
	v, err := s.get(ro, cfKept, offsetKey(offset))
	if err != nil {
		return Entry{}, fmt.Errorf("read entry %d: %w: %w", offset, ErrDamaged, err)
	}
	if v == nil {
		return Entry{}, fmt.Errorf("read entry %d: %w", offset, ErrNoEntry)
	}
	return decodeEntry(offset, v)
}

// readGenesis reads and checks offset 0.
func readGenesis(s *store) (*logv1.Genesis, error) {
	e, err := s.entry(s.read, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: it has no genesis: %w", ErrDamaged, err)
	}
	ev, err := e.Event()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	g := ev.GetGenesis()
	switch {
	case g == nil || len(g.GetLogId()) != chain.Size || g.GetCheckpointInterval() == 0:
		return nil, fmt.Errorf("%w: entry 0 is no genesis", ErrDamaged)
	case g.GetFormatVersion() != FormatVersion:
		return nil, fmt.Errorf("%w %d; this verbatim reads version %d", ErrVersion, g.GetFormatVersion(), FormatVersion)
	}
	return g, nil
}

// readTip reads the stored tip.
func readTip(s *store, ro *grocksdb.ReadOptions) (Tip, error) {
	v, err := s.get(ro, cfState, keyTip)
	if err != nil {
		return Tip{}, err
	}
	if len(v) != 8+chain.Size {
		return Tip{}, fmt.Errorf("%w: it has no tip", ErrDamaged)
	}
	return Tip{Offset: binary.BigEndian.Uint64(v), Hash: chain.Hash(v[8:])}, nil
}

// readTail reads what the next entry depends on, and checks every entry that no
// checkpoint seals against the chain, up to the stored tip.
func readTail(s *store, interval uint64) (*tail, error) {
	tip, err := readTip(s, s.read)
	if err != nil {
		return nil, err
	}
	t := newTail(interval)
	if err := t.startAtLastCheckpoint(s); err != nil {
		return nil, err
	}
	err = s.scan(s.read, t.next, func(e Entry) (bool, error) {
		return true, t.follow(e)
	})
	if err != nil {
		return nil, err
	}
	if t.next != tip.Offset+1 || t.prev != tip.Hash {
		return nil, fmt.Errorf("%w: its entries end at %d with root %s, but the stored tip is %d with root %s",
			ErrDamaged, t.next-1, t.prev, tip.Offset, tip.Hash)
	}
	return t, nil
}

// startAtLastCheckpoint leaves the tail just before the newest checkpoint.
func (t *tail) startAtLastCheckpoint(s *store) error {
	id, offset, nodes, err := lastCheckpoint(s)
	if err != nil || offset == 0 {
		return err
	}
	e, err := s.entry(s.read, offset)
	if err != nil {
		return err
	}
	ev, err := e.Event()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	c := ev.GetCheckpoint()
	if c == nil || c.GetCheckpointId() != id || c.GetLastOffset()+1 != offset {
		return fmt.Errorf("%w: entry %d is not checkpoint %d", ErrDamaged, offset, id)
	}
	if t.tree, err = chain.RestoreTree(offset, nodes); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if root, ok := chain.FromBytes(c.GetMerkleRoot()); !ok || t.tree.Root() != root {
		return fmt.Errorf("%w: the stored Merkle nodes of checkpoint %d do not give its root", ErrDamaged, id)
	}
	t.next, t.prev, t.nextID = offset, e.PrevEntryHash, id
	return t.reopenRequests(s, c.GetOpenRequests())
}

// reopenRequests restores requests that were open when a window was sealed.
func (t *tail) reopenRequests(s *store, offsets []uint64) error {
	for _, o := range offsets {
		e, err := s.entry(s.read, o)
		if err != nil {
			return err
		}
		ev, err := e.Event()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		t.open[o] = ev.GetRequest().GetMeterIds()
	}
	return nil
}

// follow checks an entry against the chain and takes it into account.
func (t *tail) follow(e Entry) error {
	if e.Offset != t.next {
		return fmt.Errorf("%w: entry %d is missing", ErrDamaged, t.next)
	}
	if e.PrevEntryHash != t.prev || e.EventHash() != chain.EventHash(e.Raw) {
		return fmt.Errorf("%w: entry %d does not fit the chain; verbatim verify names the bad one", ErrDamaged, e.Offset)
	}
	ev, err := e.Event()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	t.advance(describe(ev), e.Hash(), ev.GetWallClockMs())
	return nil
}

// lastCheckpoint returns the newest checkpoint's id, offset and Merkle nodes;
// offset 0: there is none.
func lastCheckpoint(s *store) (id, offset uint64, nodes [][]byte, err error) {
	it := s.db.NewIteratorCF(s.read, s.family(cfCheckpoints))
	defer it.Close()
	it.SeekToLast()
	if !it.Valid() {
		if err := it.Err(); err != nil {
			return 0, 0, nil, fmt.Errorf("%w: read checkpoints: %w", ErrDamaged, err)
		}
		return 0, 0, nil, nil
	}
	k, v := it.Key(), it.Value()
	defer k.Free()
	defer v.Free()
	if id, err = parseOffsetKey(k.Data()); err != nil {
		return 0, 0, nil, err
	}
	offset, nodes, err = parseCheckpointRecord(id, v.Data())
	return id, offset, nodes, err
}

// parseCheckpointRecord reads what checkpointRecord makes. The nodes are copies.
func parseCheckpointRecord(id uint64, record []byte) (offset uint64, nodes [][]byte, err error) {
	if len(record) < 8 || (len(record)-8)%chain.Size != 0 {
		return 0, nil, fmt.Errorf("%w: checkpoint %d is stored with %d bytes", ErrDamaged, id, len(record))
	}
	for node := range slices.Chunk(record[8:], chain.Size) {
		nodes = append(nodes, slices.Clone(node))
	}
	return binary.BigEndian.Uint64(record), nodes, nil
}

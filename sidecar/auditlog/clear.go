package auditlog

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/linxGnu/grocksdb"
)

var keyCleared = []byte("cleared")

// clearPause is between two looks for readers that still see what was cut off.
const clearPause = 100 * time.Millisecond

// ClearCut removes what CutSynced has denied from every column family, and frees its
// files. It waits for views that were open before the cut. It may be called again
// after a failure or a stop at any moment, and without a cut it does nothing. Entries
// go on being written meanwhile. It returns after the files are gone, but for
// snapshots that other processes hold.
func (l *Log) ClearCut(ctx context.Context) error {
	s := l.access.current()
	err := l.access.with(s, func() error {
		cut, cleared, err := cutAndCleared(s)
		if err != nil || cleared >= cut.Offset {
			return err
		}
		return s.flush() // nothing of it stays in a WAL or in memory
	})
	if err == nil {
		err = l.waitForReaders(ctx, s)
	}
	if err == nil {
		err = l.access.with(s, func() error { return clearCut(s) })
	}
	if err != nil {
		return fmt.Errorf("remove what was cut off: %w", err)
	}
	return nil
}

// Cleared says whether nothing is left of what was cut off.
func (v *View) Cleared() (bool, error) {
	var cleared uint64
	err := v.access.with(v.s, func() (err error) {
		_, cleared, err = cutAndCleared(v.s)
		return err
	})
	return cleared >= v.cut.Offset, err
}

func cutAndCleared(s *store) (Cut, uint64, error) {
	cut, err := readCut(s, s.read)
	if err != nil {
		return cut, 0, err
	}
	v, err := s.get(s.read, cfState, keyCleared)
	if err != nil || v == nil {
		return cut, 0, err
	}
	cleared, err := parseOffsetKey(v)
	return cut, cleared, err
}

// waitForReaders returns when every view has been opened after the cut.
func (l *Log) waitForReaders(ctx context.Context, s *store) error {
	before := s.liveSnapshots()
	tick := time.NewTicker(clearPause)
	defer tick.Stop()
	for s.anyLive(before) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for readers: %w", context.Cause(ctx))
		}
	}
	return nil
}

func (s *store) liveSnapshots() []*grocksdb.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*grocksdb.Snapshot
	for snap := range s.snapshots {
		list = append(list, snap)
	}
	return list
}

func (s *store) anyLive(list []*grocksdb.Snapshot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, snap := range list {
		if _, live := s.snapshots[snap]; live {
			return true
		}
	}
	return false
}

// clearCut removes the cut part. Every step may be done again.
func clearCut(s *store) error {
	cut, cleared, err := cutAndCleared(s)
	if err != nil || cleared >= cut.Offset {
		return err
	}
	window, err := windowBehind(s, cut.Offset)
	if err != nil {
		return err
	}
	b := grocksdb.NewWriteBatch()
	defer b.Destroy()
	// The block that begins with the checkpoint stays.
	for _, name := range []string{cfPacked, cfLinks} {
		b.DeleteRangeCF(s.family(name), nil, offsetKey(cut.Offset))
	}
	if err := clearTimes(s, b, window); err != nil {
		return err
	}
	if err := clearLists(s, b, window); err != nil {
		return err
	}
	if err := s.writeSynced(b); err != nil {
		return err
	}
	for _, name := range []string{cfPacked, cfLinks} {
		// The limit belongs to the range.
		err := s.db.DeleteFileInRangeCF(s.family(name), grocksdb.Range{Start: []byte{}, Limit: offsetKey(cut.Offset - 1)})
		if err != nil {
			return err
		}
		s.compact(name, offsetKey(cut.Offset))
	}
	s.compact(cfTimes, nil)
	s.compact(cfTerms, nil)
	done := grocksdb.NewWriteBatch()
	defer done.Destroy()
	done.PutCF(s.family(cfState), keyCleared, offsetKey(cut.Offset))
	return s.writeSynced(done)
}

// compact rewrites a column family's keys before an end, nil: all, so that what was
// deleted there is gone. Other compactions, and writes, go on meanwhile.
func (s *store) compact(name string, end []byte) {
	o := grocksdb.NewCompactRangeOptions()
	defer o.Destroy()
	o.SetExclusiveManualCompaction(false)
	s.db.CompactRangeCFOpt(s.family(name), grocksdb.Range{Start: nil, Limit: end}, o)
}

// windowBehind is the id of the first window that a cut leaves: the one that begins
// with the checkpoint at its offset.
func windowBehind(s *store, offset uint64) (uint64, error) {
	e, err := s.entry(s.read, offset)
	if err != nil {
		return 0, err
	}
	ev, err := e.Event()
	if err != nil {
		return 0, err
	}
	if ev.GetCheckpoint() == nil {
		return 0, fmt.Errorf("%w: entry %d is no checkpoint", ErrDamaged, offset)
	}
	return ev.GetCheckpoint().GetCheckpointId() + 1, nil
}

// clearTimes removes the windows before one from the index by time.
func clearTimes(s *store, b *grocksdb.WriteBatch, window uint64) error {
	family := s.family(cfTimes)
	it := s.db.NewIteratorCF(s.read, family)
	defer it.Close()
	for it.SeekToFirst(); it.Valid(); it.Next() {
		key := it.Key()
		_, id, err := decodePair(key.Data())
		if err == nil && id < window {
			b.DeleteCF(family, bytes.Clone(key.Data()))
		}
		key.Free()
		if err != nil {
			return err
		}
		if id >= window {
			break
		}
	}
	return it.Err()
}

// clearLists removes the posting lists of the windows before one, going from term to
// term.
func clearLists(s *store, b *grocksdb.WriteBatch, window uint64) error {
	family := s.family(cfTerms)
	it := s.db.NewIteratorCF(s.read, family)
	defer it.Close()
	for it.SeekToFirst(); it.Valid(); {
		key := it.Key()
		if size := key.Size(); size < 8 {
			key.Free()
			return fmt.Errorf("%w: a posting list has a key of %d bytes", ErrDamaged, size)
		}
		prefix := bytes.Clone(key.Data()[:key.Size()-8])
		first := binary.BigEndian.Uint64(key.Data()[key.Size()-8:])
		key.Free()
		if first < window {
			b.DeleteRangeCF(family, append(bytes.Clone(prefix), offsetKey(0)...), append(bytes.Clone(prefix), offsetKey(window)...))
		}
		it.Seek(append(append(bytes.Clone(prefix), offsetKey(^uint64(0))...), 0))
	}
	return it.Err()
}

package auditlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/linxGnu/grocksdb"
)

var keyCleared = []byte("cleared")

// clearPause is between two looks for readers that still see what was cut off.
const clearPause = 100 * time.Millisecond

// ClearCut removes what CutSynced has denied from every column family, and frees its
// files. It waits for views that were open before the cut, until ctx ends. It may be
// called again after a failure or a stop at any moment, and without a cut it does
// nothing. Entries go on being written meanwhile. It returns after the files are gone,
// but for snapshots that other processes hold.
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
		// What follows can take longer than anybody waits for readers, and all of it
		// would have to be done again.
		err = l.clearCut(context.WithoutCancel(ctx), s)
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

// clearCut removes the cut part. Every step may be done again. All that is written goes
// through the writer, which alone knows what to do after a write that failed: RocksDB
// aborts the process at the next one.
func (l *Log) clearCut(ctx context.Context, s *store) error {
	var cut Cut
	var writes []write
	err := l.access.with(s, func() error {
		var cleared uint64
		var err error
		if cut, cleared, err = cutAndCleared(s); err != nil || cleared >= cut.Offset {
			return err
		}
		writes, err = clearing(s, cut)
		return err
	})
	if err != nil || writes == nil {
		return err
	}
	if err := l.store(ctx, writes); err != nil {
		return err
	}
	if err := l.access.with(s, func() error { return freeFiles(s, cut) }); err != nil {
		return err
	}
	return l.store(ctx, []write{{family: cfState, key: keyCleared, value: offsetKey(cut.Offset)}})
}

// freeFiles drops and rewrites files until none has anything of a cut part. Entries
// that were moved to blocks can still be in one where they stood before.
func freeFiles(s *store, cut Cut) error {
	for _, name := range []string{cfPacked, cfLinks} {
		// The limit belongs to the range.
		err := s.db.DeleteFileInRangeCF(s.family(name), grocksdb.Range{Start: []byte{}, Limit: offsetKey(cut.Offset - 1)})
		if err != nil {
			return err
		}
	}
	ends := map[string][]byte{cfEntries: offsetKey(cut.Offset), cfPacked: offsetKey(cut.Offset), cfLinks: offsetKey(cut.Offset)}
	for _, name := range []string{cfEntries, cfPacked, cfLinks, cfTimes, cfTerms} {
		if err := s.compact(name, ends[name]); err != nil {
			return err
		}
	}
	return nil
}

// errCompaction: RocksDB's call gives no error, and its count of them no reason.
var errCompaction = errors.New("a file could not be rewritten: is there room, and does the disk work?")

// compact rewrites a column family's keys before an end, nil: all, so that what was
// deleted there is gone. Other compactions, and writes, go on meanwhile; where one of
// those fails it fails, too.
func (s *store) compact(name string, end []byte) error {
	before, known := s.db.GetIntProperty("rocksdb.background-errors")
	o := grocksdb.NewCompactRangeOptions()
	defer o.Destroy()
	o.SetExclusiveManualCompaction(false)
	s.db.CompactRangeCFOpt(s.family(name), grocksdb.Range{Start: nil, Limit: end}, o)
	if after, ok := s.db.GetIntProperty("rocksdb.background-errors"); !known || !ok || after != before {
		return fmt.Errorf("compact %s: %w", name, errCompaction)
	}
	return nil
}

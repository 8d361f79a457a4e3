package auditlog

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/linxGnu/grocksdb"
)

// The column families. "default" is RocksDB's own and stays empty.
const (
	cfEntries     = "entries"     // offset -> event hash, previous entry hash, raw event: what is not packed
	cfPacked      = "packed"      // first offset of a block -> raw events
	cfLinks       = "links"       // first offset of a block -> previous entry hashes
	cfKept        = "kept"        // what is kept of a pruned part, as in entries
	cfTree        = "tree"        // level, index -> hash of a complete Merkle subtree
	cfTerms       = "terms"       // length, term, window -> offsets
	cfTimes       = "times"       // first clock of a window, window -> its offsets
	cfCheckpoints = "checkpoints" // checkpoint id -> offset, Merkle nodes up to it
	cfState       = "state"       // tip, how far indexes reach
	cfRecords     = "records"     // what others keep beside the chain
)

var families = []string{
	"default", cfEntries, cfPacked, cfLinks, cfKept, cfTree, cfTerms, cfTimes, cfCheckpoints, cfState, cfRecords,
}

// access is how a store is opened.
type access int

const (
	readOnly access = iota
	readWrite
	create
	damaged // read only: what can't be read is not missed until it is asked for
	rebuilt // a copy of a damaged store, after RocksDB has repaired it
)

func (a access) writes() bool { return a == readWrite || a == create || a == rebuilt }

// cacheBytes bounds what is kept of blocks that were read, in octets.
const cacheBytes = 64 << 20

// Of LZ4 HC: it has no window to be set, and higher levels save no more than a hundredth.
const (
	lz4Window = -14
	lz4Level  = 3
)

// readerTables is how many tables a reader has open at a time.
const readerTables = 512

// store is one opening of RocksDB. Its methods are safe for use by several
// goroutines; close is not to be called beside them.
type store struct {
	db      *grocksdb.DB
	handles grocksdb.ColumnFamilyHandles
	opts    []*grocksdb.Options
	cache   *grocksdb.Cache // of all families' blocks
	read    *grocksdb.ReadOptions
	synced  *grocksdb.WriteOptions
	lazy    *grocksdb.WriteOptions
	mark    *mark // nil when read only

	mu        sync.Mutex
	snapshots map[*grocksdb.Snapshot]struct{}
	iterators map[*storeIterator]struct{}
}

// openStore opens the RocksDB of the log in dir.
func openStore(dir string, mode access) (*store, error) {
	if err := checkTables(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, dbDir)
	s := &store{snapshots: map[*grocksdb.Snapshot]struct{}{}, iterators: map[*storeIterator]struct{}{}, cache: grocksdb.NewLRUCache(cacheBytes)}
	dbOpts := s.databaseOptions(mode)
	cfOpts := make([]*grocksdb.Options, len(families))
	for i, name := range families {
		cfOpts[i] = s.familyOptions(name)
	}
	var err error
	if mode.writes() {
		if s.mark, err = openMark(dir); err != nil {
			s.destroyOptions()
			return nil, err
		}
	}
	if !mode.writes() {
		s.db, s.handles, err = grocksdb.OpenDbForReadOnlyColumnFamilies(dbOpts, path, families, cfOpts, false)
	} else {
		s.db, s.handles, err = grocksdb.OpenDbColumnFamilies(dbOpts, path, families, cfOpts)
	}
	if err != nil {
		s.closeMark()
		s.destroyOptions()
		return nil, openError(dir, err)
	}
	s.read = grocksdb.NewDefaultReadOptions()
	s.synced = grocksdb.NewDefaultWriteOptions()
	s.synced.SetSync(true)
	s.lazy = grocksdb.NewDefaultWriteOptions()
	return s, nil
}

// openError tells a second writer from damage; RocksDB has no codes in C.
func openError(dir string, err error) error {
	text := err.Error()
	switch {
	case strings.HasPrefix(text, "Corruption"), strings.HasPrefix(text, "Invalid argument"),
		strings.HasPrefix(text, "IO error: No such file"):
		return fmt.Errorf("open log %s: %w: %w; restore it from a backup, nothing was changed", dir, ErrDamaged, err)
	case strings.Contains(text, "While lock file"), strings.Contains(text, "lock hold by"):
		return fmt.Errorf("open log %s: %w by another process: %w", dir, ErrInUse, err)
	}
	return fmt.Errorf("open log %s: %w", dir, err)
}

func (s *store) databaseOptions(mode access) *grocksdb.Options {
	o := grocksdb.NewDefaultOptions()
	o.SetCreateIfMissing(mode == create)
	o.SetCreateIfMissingColumnFamilies(mode == create || mode == rebuilt)
	o.SetParanoidChecks(mode != damaged && mode != rebuilt)
	// A torn last record is dropped, anything else refuses to open; the default
	// would silently drop all that follows damage.
	o.SetWALRecoveryMode(grocksdb.TolerateCorruptedTailRecordsRecovery)
	if mode == damaged || mode == rebuilt {
		o.SetWALRecoveryMode(grocksdb.SkipAnyCorruptedRecordsRecovery)
	}
	o.SetRecycleLogFileNum(0)
	o.SetMaxTotalWalSize(256 << 20)
	o.SetStatsDumpPeriodSec(0)
	o.SetMaxBackgroundJobs(2)
	// By default each of the families starts 15 threads to open its few tables, and
	// each table's properties are read again for statistics of which nothing is made.
	o.SetMaxFileOpeningThreads(1)
	o.SetSkipStatsUpdateOnDBOpen(true)
	// Debian builds RocksDB with its assertions, and one of them aborts the
	// process at the second line that can't be written to RocksDB's own log file:
	// none is written there. A file that may be rolled over would get a list of
	// all settings whatever the level, so its size has no bound.
	o.SetInfoLogLevel(grocksdb.FatalInfoLogLevel)
	o.SetMaxLogFileSize(0)
	o.SetKeepLogFileNum(1)
	if mode == readOnly {
		// Tables are opened when something is looked for in them; else opening a log
		// takes as long as it is large. That all are there is seen in any case.
		o.SetMaxOpenFiles(readerTables)
	}
	if !mode.writes() {
		// A reader writes nothing beside the log; RocksDB goes on without its
		// own log file where none can be made.
		o.SetDbLogDir("/dev/null/verbatim")
	}
	s.opts = append(s.opts, o)
	return o
}

func (s *store) familyOptions(name string) *grocksdb.Options {
	o := grocksdb.NewDefaultOptions()
	table := grocksdb.NewDefaultBlockBasedTableOptions()
	table.SetBlockSize(16 << 10)
	table.SetBlockCache(s.cache)
	o.SetCompression(grocksdb.ZSTDCompression)
	o.SetWriteBufferSize(8 << 20)
	switch name {
	case cfEntries:
		o.SetWriteBufferSize(64 << 20)
	case cfPacked:
		// A verification decompresses them all (docs/decisions.md, "Packed blocks are
		// compressed with LZ4"). Blocks that were written otherwise say so.
		o.SetCompression(grocksdb.LZ4HCCompression)
		o.SetCompressionOptions(grocksdb.NewCompressionOptions(lz4Window, lz4Level, 0, 0))
		o.SetWriteBufferSize(64 << 20)
	case cfLinks:
		o.SetCompression(grocksdb.NoCompression) // hashes
		o.SetWriteBufferSize(32 << 20)
	case cfTree:
		o.SetCompression(grocksdb.NoCompression)
	case cfTimes, cfCheckpoints:
		// Their keys ascend: by levels each flush would leave a small table for ever, and
		// whoever opens the log looks at all tables.
		o.SetCompactionStyle(grocksdb.UniversalCompactionStyle)
	}
	o.SetBlockBasedTableFactory(table) // which copies them
	table.Destroy()
	s.opts = append(s.opts, o)
	return o
}

func (s *store) family(name string) *grocksdb.ColumnFamilyHandle {
	for i, n := range families {
		if n == name {
			return s.handles[i]
		}
	}
	panic("unknown column family " + name)
}

// writeSynced returns after the batch is durable (fdatasync of the WAL).
func (s *store) writeSynced(b *grocksdb.WriteBatch) error { return s.db.Write(s.synced, b) }

// writeLazy returns before the batch is durable; the next writeSynced makes it so.
func (s *store) writeLazy(b *grocksdb.WriteBatch) error { return s.db.Write(s.lazy, b) }

// get copies a value; nil when there is none.
func (s *store) get(ro *grocksdb.ReadOptions, cf string, key []byte) ([]byte, error) {
	v, err := s.db.GetCF(ro, s.family(cf), key)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", cf, err)
	}
	defer v.Free()
	if !v.Exists() {
		return nil, nil
	}
	return append([]byte{}, v.Data()...), nil
}

// flush returns after all memtables are in synced table files.
func (s *store) flush() error {
	o := grocksdb.NewDefaultFlushOptions()
	defer o.Destroy()
	for _, name := range families {
		if err := s.db.FlushCF(s.family(name), o); err != nil {
			return fmt.Errorf("flush %s: %w", name, err)
		}
	}
	return nil
}

// snapshot pins the present state until release or close.
func (s *store) snapshot() *grocksdb.Snapshot {
	snap := s.db.NewSnapshot()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshots[snap] = struct{}{}
	return snap
}

func (s *store) release(snap *grocksdb.Snapshot) {
	s.mu.Lock()
	_, held := s.snapshots[snap]
	delete(s.snapshots, snap)
	s.mu.Unlock()
	if held {
		s.db.ReleaseSnapshot(snap)
	}
}

// storeIterator is an iterator that may be kept for a while: a store that is closed
// closes it.
type storeIterator struct {
	*grocksdb.Iterator
	s *store
}

// newIterator has to be closed, unless the store is closed before.
func (s *store) newIterator(ro *grocksdb.ReadOptions, cf string) *storeIterator {
	it := &storeIterator{s.db.NewIteratorCF(ro, s.family(cf)), s}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.iterators[it] = struct{}{}
	return it
}

func (it *storeIterator) close() {
	it.s.mu.Lock()
	delete(it.s.iterators, it)
	it.s.mu.Unlock()
	it.Close()
}

// close releases all that reads from it, and RocksDB. No call may be under way.
func (s *store) close() {
	for it := range s.iterators {
		it.Close()
	}
	s.iterators = nil
	for snap := range s.snapshots {
		s.db.ReleaseSnapshot(snap)
	}
	s.snapshots = nil
	for _, h := range s.handles {
		h.Destroy()
	}
	s.db.Close()
	s.read.Destroy()
	s.synced.Destroy()
	s.lazy.Destroy()
	s.closeMark()
	s.destroyOptions()
}

func (s *store) closeMark() {
	if s.mark != nil {
		s.mark.close()
	}
}

func (s *store) destroyOptions() {
	for _, o := range s.opts {
		o.Destroy()
	}
	s.opts = nil
	s.cache.Destroy()
}

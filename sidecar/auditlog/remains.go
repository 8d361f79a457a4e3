package auditlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/linxGnu/grocksdb"

	"verbatim/sidecar/chain"
)

// Remains are what can be read of a log, however damaged it is. They check nothing
// and change nothing: what is found here has to be proved by what else is there. They
// are not safe for use by several goroutines.
type Remains struct {
	s       *store
	dir     string
	dropped []string
}

// OpenRemains opens a log that no process writes, whatever is missing in it. Errors:
// those of OpenReadOnly, ErrDamaged only where RocksDB doesn't know any more which
// files belong to it: see RebuildRemains.
func OpenRemains(dir string) (*Remains, error) {
	if err := checkDamagedDir(dir); err != nil {
		return nil, err
	}
	if err := refuseBesideWriter(dir); err != nil {
		return nil, err
	}
	s, err := openStore(dir, damaged)
	if err != nil {
		return nil, err
	}
	return &Remains{s: s, dir: dir}, nil
}

// checkDamagedDir is checkDir for a log whose file FORMAT may be lost.
func checkDamagedDir(dir string) error {
	err := checkDir(dir)
	if !errors.Is(err, ErrNotALog) {
		return err
	}
	if info, bad := os.Stat(filepath.Join(dir, dbDir)); bad == nil && info.IsDir() {
		return nil
	}
	return err
}

// ErrNoCopy says that the copy of a damaged log could not be made where it was to be, and
// nothing of what is left of the log.
var ErrNoCopy = errors.New("no copy of it can be written there")

// RebuildRemains lets RocksDB find out again which files belong to a store, in scratch,
// an empty directory, with a copy of the files of the log in dir. It writes to scratch
// alone, which is to be removed when the remains are closed. Errors: ErrNoCopy, ErrDamaged,
// those of OpenRemains.
func RebuildRemains(dir, scratch string) (*Remains, error) {
	r, err := rebuildRemains(dir, scratch)
	if err != nil && checkRoom(scratch) != nil {
		// Neither RocksDB nor a failed copy says reliably that this is why.
		return nil, fmt.Errorf("%w: %w", ErrNoCopy, err)
	}
	return r, err
}

func rebuildRemains(dir, scratch string) (*Remains, error) {
	if err := checkDamagedDir(dir); err != nil {
		return nil, err
	}
	if err := refuseBesideWriter(dir); err != nil {
		return nil, err
	}
	if err := os.CopyFS(filepath.Join(scratch, dbDir), os.DirFS(filepath.Join(dir, dbDir))); err != nil {
		return nil, fmt.Errorf("copy damaged log: %w", err)
	}
	if err := clearHashIndexBits(scratch); err != nil {
		return nil, err
	}
	// RocksDB aborts the process when it can't write its list of files here.
	if err := checkRoom(scratch); err != nil {
		return nil, fmt.Errorf("copy damaged log: %w", err)
	}
	throwaway := &store{cache: grocksdb.NewLRUCache(0)}
	defer throwaway.destroyOptions()
	options := throwaway.databaseOptions(rebuilt)
	if err := grocksdb.RepairDb(filepath.Join(scratch, dbDir), options); err != nil {
		return nil, fmt.Errorf("%w: not even its copy can be repaired: %w", ErrDamaged, err)
	}
	s, err := openStore(scratch, rebuilt)
	if err != nil {
		return nil, err
	}
	dropped, err := filepath.Glob(filepath.Join(scratch, dbDir, "lost", "*.sst"))
	if err != nil {
		s.close()
		return nil, err
	}
	r := &Remains{s: s, dir: dir}
	for _, path := range dropped {
		r.dropped = append(r.dropped, filepath.Base(path))
	}
	return r, nil
}

// Dropped are the tables that RocksDB could not read when it rebuilt a store, and so
// left out. What they held is not among what is left, and nothing else tells.
func (r *Remains) Dropped() []string { return r.dropped }

// Close ends reading.
func (r *Remains) Close() { r.s.close() }

// Tip is the newest entry as stored.
func (r *Remains) Tip() (Tip, error) { return readTip(r.s, r.s.read) }

// Durable is the newest offset that the log's directory says to have been durable;
// false if it says nothing.
func (r *Remains) Durable() (uint64, bool, error) { return readMark(r.dir) }

// Cut is where the log was pruned, as stored; zero if it says nothing of that.
func (r *Remains) Cut() (Cut, error) { return readCut(r.s, r.s.read) }

// Base is the Merkle nodes of the entries before a cut.
func (r *Remains) Base(cut Cut) ([][]byte, error) {
	tree, err := chain.TreeAt(cut.Offset, func(id chain.NodeID) (chain.Hash, error) {
		return r.s.node(r.s.read, id, Tip{Offset: cut.Offset, Hash: cut.Root}, cut.Offset)
	})
	if err != nil {
		return nil, fmt.Errorf("read tree before %d: %w", cut.Offset, err)
	}
	return tree.Nodes(), nil
}

// Left is an entry as it is stored.
type Left struct {
	Entry
	// Linked says that the hash of the entry before it is stored; else it is zero.
	Linked bool
}

// Entries calls f for the entries from an offset on, in order, until f returns false,
// and returns why the storage gives no more of them: nil at the end. Holes are seen in
// the offsets. Entries of pruned parts are not among them.
func (r *Remains) Entries(from uint64, f func(Left) bool) error {
	next, more := from, true
	err := r.blocks(from, func(b *block, linked bool) bool {
		for next = max(next, b.first); more && next < b.first+b.count(); next++ {
			more = f(Left{b.at(next), linked})
		}
		return more
	})
	if err != nil || !more {
		return err
	}
	it := r.s.db.NewIteratorCF(r.s.read, r.s.family(cfEntries))
	defer it.Close()
	for it.Seek(offsetKey(next)); it.Valid(); it.Next() {
		e, err := entryAt(it)
		if err != nil {
			return err
		}
		if !f(Left{e, true}) {
			return nil
		}
		next = e.Offset + 1
	}
	return blockError(next, it.Err())
}

// blocks calls f for the blocks from the one with an offset on.
func (r *Remains) blocks(from uint64, f func(b *block, linked bool) bool) error {
	it := r.s.db.NewIteratorCF(r.s.read, r.s.family(cfPacked))
	defer it.Close()
	switch it.SeekForPrev(offsetKey(from)); {
	case it.Valid():
	case it.Err() != nil:
		it.Seek(offsetKey(from)) // what is before can't be read
	default:
		it.SeekToFirst()
	}
	for ; it.Valid(); it.Next() {
		b, linked, err := r.block(it)
		if err != nil {
			return err
		}
		if from = b.first + b.count(); !f(b, linked) {
			return nil
		}
	}
	return blockError(from, it.Err())
}

// block reads the block at an iterator's place, with zero hashes if its links are lost.
func (r *Remains) block(it *grocksdb.Iterator) (*block, bool, error) {
	key, value := it.Key(), it.Value()
	defer key.Free()
	defer value.Free()
	first, err := parseOffsetKey(key.Data())
	if err != nil {
		return nil, false, err
	}
	raws := bytes.Clone(value.Data())
	if hashes, err := r.s.get(r.s.read, cfLinks, key.Data()); err == nil {
		if b, err := decodeBlock(first, raws, hashes); err == nil {
			return b, true, nil
		}
	}
	count, _ := binary.Uvarint(raws)
	b, err := decodeBlock(first, raws, make([]byte, min(count, blockEntries)*chain.Size))
	return b, false, err
}

// Kept are the entries that are kept of a pruned part, as far as they can be read.
func (r *Remains) Kept() (list []Entry, err error) {
	err = r.bothWays(cfKept, func(key, value []byte) {
		if offset, err := parseOffsetKey(key); err == nil {
			if e, err := decodeEntry(offset, value); err == nil {
				list = append(list, e)
			}
		}
	})
	return list, err
}

// Nodes are the stored Merkle nodes that begin before an offset, as far as they can be
// read.
func (r *Remains) Nodes(before uint64) (map[chain.NodeID]chain.Hash, error) {
	nodes := map[chain.NodeID]chain.Hash{}
	err := r.bothWays(cfTree, func(key, value []byte) {
		if id, ok := parseTreeKey(key); ok && len(value) == chain.Size && id.Index<<id.Level < before {
			nodes[id] = chain.Hash(value)
		}
	})
	return nodes, err
}

// Records are what is kept beside the chain, as far as it can be read.
func (r *Remains) Records() (list []Record, err error) {
	err = r.bothWays(cfRecords, func(key, value []byte) {
		list = append(list, Record{bytes.Clone(key), append([]byte{}, value...)})
	})
	return list, err
}

// bothWays calls f for each pair of a column family, from the first on as far as it can
// be read, and where that ends before the last, from the last back. The error says
// that it did.
func (r *Remains) bothWays(cf string, f func(key, value []byte)) error {
	it := r.s.db.NewIteratorCF(r.s.read, r.s.family(cf))
	defer it.Close()
	give := func() []byte {
		key, value := it.Key(), it.Value()
		defer key.Free()
		defer value.Free()
		f(key.Data(), value.Data())
		return bytes.Clone(key.Data())
	}
	var last []byte
	for it.SeekToFirst(); it.Valid(); it.Next() {
		last = give()
	}
	err := it.Err()
	if err == nil {
		return nil
	}
	for it.SeekToLast(); it.Valid() && bytes.Compare(it.Key().Data(), last) > 0; it.Prev() {
		give()
	}
	return fmt.Errorf("read %s: %w: %w", cf, ErrDamaged, err)
}

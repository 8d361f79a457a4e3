package auditlog

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/linxGnu/grocksdb"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// View is one consistent state of a log: the entries 0 to its tip. It never
// writes. Its methods are safe for use by several goroutines, and fail with
// ErrReopened when the log had to be opened again after a failed write.
type View struct {
	access  *handle
	s       *store
	snap    *grocksdb.Snapshot
	read    *grocksdb.ReadOptions
	scan    *grocksdb.ReadOptions // of much that is read in order,
	look    *grocksdb.ReadOptions // and of what the view remembers itself
	genesis *logv1.Genesis
	tip     Tip
	index   *index
	windows []*window
	indexed uint64 // windows below this id are in the store's index
	packed  uint64 // entries below this offset are in blocks
	blocks  blocks // the newest ones read
	cut     Cut    // zero: nothing is pruned
	noIndex error  // why there is no index of what is not stored in it
	owned   bool   // the store belongs to this view
}

// View pins the present state until Close.
func (l *Log) View() (*View, error) {
	s := l.access.current()
	v := &View{access: &l.access, s: s, genesis: l.genesis, index: l.index}
	err := l.access.with(s, v.pin)
	if errors.Is(err, ErrReopened) {
		return nil, fmt.Errorf("read log: %w: %w", ErrNotWritable, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	return v, nil
}

// Available is nil if dir holds a log that no process writes. It reads no entry.
// Errors: ErrNotFound, ErrNotALog, ErrVersion, ErrInUse.
func Available(dir string) error {
	if err := checkDir(dir); err != nil {
		return err
	}
	return refuseBesideWriter(dir)
}

// OpenReadOnly opens a log that no process writes, for reading. It writes
// nothing. Errors: those of Open; ErrInUse means that the writer has to be asked
// for a snapshot.
func OpenReadOnly(dir string) (*View, error) {
	if err := Available(dir); err != nil {
		return nil, err
	}
	s, err := openWhole(dir)
	if err != nil {
		return nil, err
	}
	v := &View{access: &handle{s: s}, s: s, index: &index{wake: make(chan struct{}, 1)}, owned: true}
	if err := v.load(); err != nil {
		s.close()
		return nil, fmt.Errorf("open log %s: %w", dir, err)
	}
	return v, nil
}

// load reads what a Log has in memory.
func (v *View) load() error {
	var err error
	if v.genesis, err = readGenesis(v.s); err != nil {
		if !genesisLost(v.s) {
			return err
		}
		v.genesis = noGenesis() // the rest can be read, and verify says what is wrong
	}
	if v.index.tip, err = readTip(v.s, v.s.read); err != nil {
		return err
	}
	// Without an index entries can be read all the same, and verify says what is
	// wrong with them; a look-up by meter fails.
	v.index.windows, v.noIndex = buildWindows(v.s, v.index.tip)
	return v.pin()
}

// pin takes the snapshot together with the index that fits it.
func (v *View) pin() error {
	v.index.mu.Lock()
	defer v.index.mu.Unlock()
	v.snap = v.s.snapshot()
	v.tip = v.index.tip
	v.windows = append([]*window(nil), v.index.windows...)
	v.read, v.scan, v.look = grocksdb.NewDefaultReadOptions(), grocksdb.NewDefaultReadOptions(), grocksdb.NewDefaultReadOptions()
	for _, o := range []*grocksdb.ReadOptions{v.read, v.scan, v.look} {
		o.SetSnapshot(v.snap)
		o.SetFillCache(o == v.read)
	}
	v.scan.SetReadaheadSize(512 << 10)
	var err error
	if v.indexed, _, err = readIndexed(v.s, v.read); err == nil {
		v.packed, err = readPacked(v.s, v.read)
	}
	if err == nil {
		v.cut, err = readCut(v.s, v.read)
	}
	if err != nil {
		v.s.release(v.snap)
		v.destroyOptions()
	}
	return err
}

func (v *View) destroyOptions() {
	v.read.Destroy()
	v.scan.Destroy()
	v.look.Destroy()
}

// Close releases the state. No other method may be under way.
func (v *View) Close() {
	err := v.access.with(v.s, func() error { v.s.release(v.snap); return nil })
	if err == nil && v.owned {
		v.access.close()
	}
	v.destroyOptions()
}

// Genesis is offset 0's event, with a zero log id if it is lost: then its entry
// is missing, or its event hash is another's. The caller must not change it.
func (v *View) Genesis() *logv1.Genesis { return v.genesis }

// ID is the log's id, zero if its genesis is lost.
func (v *View) ID() chain.Hash { return chain.Hash(v.genesis.GetLogId()) }

// Tip is the newest entry of this view.
func (v *View) Tip() Tip { return v.tip }

// Entry reads one entry; ErrNoEntry if it is not in the view, ErrPruned if it was
// pruned and is not one of those that are kept for ever.
func (v *View) Entry(offset uint64) (Entry, error) {
	if offset > v.tip.Offset {
		return Entry{}, fmt.Errorf("read entry %d: %w: the newest is %d", offset, ErrNoEntry, v.tip.Offset)
	}
	if e, ok := v.blocks.entry(offset); ok {
		return e, nil
	}
	var e Entry
	err := v.access.with(v.s, func() (err error) {
		e, err = v.entry(offset)
		return err
	})
	return e, err
}

func (v *View) entry(offset uint64) (Entry, error) {
	switch {
	case offset < v.First():
		e, err := v.s.kept(v.read, offset)
		if errors.Is(err, ErrNoEntry) {
			err = fmt.Errorf("read entry %d: %w, with all before %d", offset, ErrPruned, v.First())
		}
		return e, err
	case offset >= v.packed:
		return v.s.entry(v.read, offset)
	}
	b := v.blocks.room()
	found, err := v.s.blockWith(v.look, offset, b)
	if err != nil {
		return Entry{}, err
	}
	if !found {
		return Entry{}, fmt.Errorf("read entry %d: %w", offset, ErrNoEntry)
	}
	e := b.at(offset)
	e.Raw = bytes.Clone(e.Raw)
	v.blocks.keep(b)
	return e, nil
}

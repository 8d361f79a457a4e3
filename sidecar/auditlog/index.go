package auditlog

import (
	"fmt"
	"sync"

	"github.com/linxGnu/grocksdb"
)

var keyIndexed = []byte("indexed")

// window is the index of one window while it is not stored. Its fields are
// guarded by the index's mutex until it is sealed, and constant from then on.
type window struct {
	id      uint64 // of the checkpoint that seals it
	first   uint64
	last    uint64
	firstMS uint64
	sealed  bool
	lists   Lists
}

// index holds the newest windows' posting lists in memory, the open window's
// among them. Sealed ones are stored by the indexer's goroutine, off the path of
// the acknowledgement, and then dropped here.
type index struct {
	wake chan struct{}

	mu      sync.Mutex
	windows []*window
	tip     Tip
	stopped bool
}

// published is the newest entry that readers may see.
func (x *index) published() Tip {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.tip
}

// add takes durable entries into the index and publishes the tip.
func (x *index) add(placed []placedEntry, tip Tip) {
	x.mu.Lock()
	defer x.mu.Unlock()
	sealed := false
	for _, p := range placed {
		sealed = x.addEntry(p) || sealed
	}
	x.tip = tip
	if sealed {
		x.signal()
	}
}

// addEntry says whether the entry sealed a window; x.mu is held.
func (x *index) addEntry(p placedEntry) bool {
	w := x.windows[len(x.windows)-1]
	if p.kind == KindCheckpoint {
		w.sealed, w.last = true, p.offset-1
		w = newWindow(w.id+1, p.offset)
		x.windows = append(x.windows, w)
	}
	if p.offset == w.first {
		w.firstMS = p.clockMS
	}
	w.lists.Add(p.offset, p.kind, p.status, p.meters)
	return p.kind == KindCheckpoint
}

func newWindow(id, first uint64) *window {
	return &window{id: id, first: first}
}

// signal wakes the indexer, unless it was stopped; x.mu is held.
func (x *index) signal() {
	if x.stopped {
		return
	}
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// oldestSealed is the next window to store, or nil.
func (x *index) oldestSealed() *window {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.windows) == 0 || !x.windows[0].sealed {
		return nil
	}
	return x.windows[0]
}

// stored drops a window that is in the store now.
func (x *index) stored(w *window) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.windows) > 0 && x.windows[0] == w {
		x.windows = x.windows[1:]
	}
}

// writeSealed stores all sealed windows. The writes are not synced: what a
// crash takes is built again.
func (x *index) writeSealed(s *store) error {
	for w := x.oldestSealed(); w != nil; w = x.oldestSealed() {
		if err := packWindow(s, w); err != nil {
			return err
		}
		if err := writeWindow(s, w); err != nil {
			return err
		}
		x.stored(w)
	}
	return nil
}

// writeWindow stores a sealed window's index in one batch.
func writeWindow(s *store, w *window) error {
	b := grocksdb.NewWriteBatch()
	defer b.Destroy()
	terms := s.family(cfTerms)
	w.lists.Each(func(t Term, offsets []uint64) { b.PutCF(terms, termKey(t, w.id), encodePostings(offsets)) })
	b.PutCF(s.family(cfTimes), timeKey(w.firstMS, w.id), encodePair(w.first, w.last))
	b.PutCF(s.family(cfState), keyIndexed, encodePair(w.id+1, w.last+1))
	err := putTree(s, b, w)
	if err == nil {
		err = s.writeLazy(b)
	}
	if err != nil {
		return fmt.Errorf("store index of window %d: %w", w.id, err)
	}
	return nil
}

// readIndexed returns the first window that is not stored and its first offset.
func readIndexed(s *store, ro *grocksdb.ReadOptions) (id, first uint64, err error) {
	v, err := s.get(ro, cfState, keyIndexed)
	if err != nil || v == nil {
		return 0, 0, err
	}
	if id, first, err = decodePair(v); err != nil {
		return 0, 0, fmt.Errorf("read index state: %w", err)
	}
	return id, first, nil
}

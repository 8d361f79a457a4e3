package auditlog

import (
	"slices"

	"verbatim/sidecar/chain"
)

// Tip is the newest entry.
type Tip struct {
	Offset uint64
	// Hash is its entry hash: the chain root.
	Hash chain.Hash
}

// tail is what the next entry depends on. It runs ahead of what is durable
// while a batch is built; after a failed write it is thrown away and read back.
type tail struct {
	interval uint64
	next     uint64     // offset of the next entry
	prev     chain.Hash // entry hash of next-1
	clockMS  uint64     // wall clock of next-1
	tree     *chain.Tree
	window   openWindow
	nextID   uint64              // id of the next checkpoint
	open     map[uint64][]string // requests without outcome, and their meters
}

// openWindow is the window that is not sealed yet.
type openWindow struct {
	first    uint64
	outputs  chain.Root
	oldestMS uint64 // clock of its oldest entry but a Checkpoint; 0: it has none
}

func newTail(interval uint64) *tail {
	return &tail{interval: interval, tree: chain.NewTree(), open: map[uint64][]string{}}
}

// full says that the window must be sealed before anything else is placed.
func (t *tail) full() bool { return t.next-t.window.first >= t.interval }

// sealable says that the window holds more than a Checkpoint.
func (t *tail) sealable() bool { return t.window.oldestMS != 0 }

// clock is the next entry's: it never goes back.
func (t *tail) clock(nowMS uint64) uint64 { return max(nowMS, t.clockMS) }

// tip is the newest entry; the log must have one.
func (t *tail) tip() Tip { return Tip{Offset: t.next - 1, Hash: t.prev} }

// openRequests are the offsets without outcome, ascending.
func (t *tail) openRequests() []uint64 {
	offsets := make([]uint64, 0, len(t.open))
	for o := range t.open {
		offsets = append(offsets, o)
	}
	slices.Sort(offsets)
	return offsets
}

// advance takes the entry at t.next into account and returns the meters that
// it belongs to.
func (t *tail) advance(d Draft, entryHash chain.Hash, clockMS uint64) []string {
	t.tree.Add(entryHash)
	offset := t.next
	t.next, t.prev, t.clockMS = offset+1, entryHash, clockMS
	if d.Kind == KindCheckpoint {
		t.window = openWindow{first: offset}
		t.nextID++
		return nil
	}
	if t.window.oldestMS == 0 {
		t.window.oldestMS = clockMS
	}
	switch d.Kind {
	case KindRequest:
		t.open[offset] = d.MeterIDs
		return d.MeterIDs
	case KindResponse:
		t.window.outputs.Add(d.OutputHash)
	}
	meters := t.open[d.RequestOffset]
	if d.outcome() {
		delete(t.open, d.RequestOffset)
	}
	return meters
}

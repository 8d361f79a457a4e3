package forge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/linxGnu/grocksdb"
	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// Item is an event of a History.
type Item struct {
	Event *logv1.Event
	// Of is the request that an outcome or a part belongs to. Nil: the event says it
	// itself.
	Of *Item
	// Cut is the checkpoint that a Prune names. Nil: the event says it itself.
	Cut *Item
	// KeepClock: the clock is as the event says, even if it goes back.
	KeepClock bool
	// KeepFooter: a checkpoint is as the event says, whatever it seals.
	KeepFooter bool

	raw    []byte // as it was read, nil for a new event
	was    *logv1.Event
	offset uint64 // where it was written
	hash   chain.Hash
}

// History is what a log says, in order. Its events refer to each other and not to
// offsets, so that they can be moved, removed and added.
type History []*Item

// Read reads the history of a log of which nothing was pruned.
func Read(dir string) (History, error) {
	d, err := open(dir)
	if err != nil {
		return nil, err
	}
	defer d.close()
	values, err := d.values()
	if err != nil {
		return nil, err
	}
	h := make(History, len(values))
	for i, v := range values {
		item := &Item{Event: &logv1.Event{}, raw: v[RawAt:]}
		if err := proto.Unmarshal(item.raw, item.Event); err != nil {
			return nil, fmt.Errorf("decode to forge: %w", err)
		}
		item.was, _ = proto.Clone(item.Event).(*logv1.Event)
		if of, ok := requestOf(item.Event); ok && of < uint64(i) {
			item.Of = h[of]
		}
		h[i] = item
	}
	return h, nil
}

// requestOf is the request that an event belongs to.
func requestOf(ev *logv1.Event) (uint64, bool) {
	switch k := ev.GetKind().(type) {
	case *logv1.Event_Response:
		return k.Response.GetRequestOffset(), true
	case *logv1.Event_Abort:
		return k.Abort.GetRequestOffset(), true
	case *logv1.Event_RequestPart:
		return k.RequestPart.GetRequestOffset(), true
	case *logv1.Event_ResponsePart:
		return k.ResponsePart.GetRequestOffset(), true
	}
	return 0, false
}

func belongTo(ev *logv1.Event, offset uint64) {
	switch k := ev.GetKind().(type) {
	case *logv1.Event_Response:
		k.Response.RequestOffset = offset
	case *logv1.Event_Abort:
		k.Abort.RequestOffset = offset
	case *logv1.Event_RequestPart:
		k.RequestPart.RequestOffset = offset
	case *logv1.Event_ResponsePart:
		k.ResponsePart.RequestOffset = offset
	}
}

// Footers say what a forger does about checkpoints.
type Footers int

// What a forger does about checkpoints.
const (
	Stale      Footers = iota // they stay as they were, the links are computed again
	Recomputed                // they seal what stands before them now
	Resealed                  // and full windows end where the interval wants it
)

// Write puts a history into a log, in place of the one that it has: offsets, clocks
// and every hash are computed again, and whatever is built again from entries goes.
// What is kept beside the chain stays.
func (h History) Write(dir string, f Footers) error {
	d, err := open(dir)
	if err != nil {
		return err
	}
	defer d.close()
	w := &writer{rewriter: rewriter{disk: d, batch: grocksdb.NewWriteBatch(), tree: chain.NewTree()}, footers: f, open: map[*Item]bool{}}
	defer w.batch.Destroy()
	for _, family := range []string{"entries", "checkpoints"} {
		w.batch.DeleteRangeCF(d.family(family), key(0), key(^uint64(0)))
	}
	w.interval = h[0].Event.GetGenesis().GetCheckpointInterval()
	for _, item := range h {
		if err := w.item(item); err != nil {
			return err
		}
	}
	if err := d.forgetIndex(w.batch); err != nil {
		return err
	}
	w.batch.PutCF(d.family("state"), []byte("tip"), append(key(w.next-1), w.prev[:]...))
	if err := d.db.Write(d.write, w.batch); err != nil {
		return fmt.Errorf("write forged log: %w", err)
	}
	if err := os.Remove(filepath.Join(dir, "durable")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write forged log: %w", err)
	}
	return nil
}

// checkpointRecord lists a checkpoint.
func checkpointRecord(offset uint64, tree *chain.Tree) []byte {
	value := binary.BigEndian.AppendUint64(nil, offset)
	for _, n := range tree.Nodes() {
		value = append(value, n...)
	}
	return value
}

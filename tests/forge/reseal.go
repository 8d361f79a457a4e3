package forge

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// writer writes a history item by item.
type writer struct {
	rewriter
	footers  Footers
	interval uint64
	first    uint64 // of the window
	id       uint64 // of the next checkpoint
	clockMS  uint64
	open     map[*Item]bool
}

func (w *writer) item(i *Item) error {
	c := i.Event.GetCheckpoint()
	byInterval := c.GetReason() == logv1.SealReason_SEAL_REASON_INTERVAL
	if w.footers == Resealed {
		for w.next-w.first >= w.interval && !byInterval {
			if err := w.seal(); err != nil {
				return err
			}
		}
		if byInterval && w.next-w.first != w.interval {
			return nil // it stands elsewhere now
		}
	}
	if i.Of != nil {
		belongTo(i.Event, i.Of.offset)
	}
	if p := i.Event.GetPrune(); p != nil && i.Cut != nil {
		p.LastOffset, p.Root = i.Cut.offset, i.Cut.hash[:]
	}
	if !i.KeepClock {
		w.clockMS = max(w.clockMS, i.Event.GetWallClockMs())
		i.Event.WallClockMs = w.clockMS
	}
	if c != nil && w.footers != Stale && !i.KeepFooter {
		w.footer(c)
	}
	return w.put(i)
}

// seal adds a checkpoint over a full window.
func (w *writer) seal() error {
	none := chain.EventHash(nil)
	c := &logv1.Checkpoint{Reason: logv1.SealReason_SEAL_REASON_INTERVAL, EffectRoot: none[:]}
	w.footer(c)
	return w.put(&Item{Event: &logv1.Event{WallClockMs: w.clockMS, Kind: &logv1.Event_Checkpoint{Checkpoint: c}}})
}

// footer makes a checkpoint that of the open window.
func (w *writer) footer(c *logv1.Checkpoint) {
	merkle, outputs := w.tree.Root(), w.outputs.Sum()
	c.CheckpointId, c.FirstOffset, c.LastOffset = w.id, w.first, w.next-1
	c.OutputCount, c.OutputRoot, c.MerkleRoot = w.outputs.Count(), outputs[:], merkle[:]
	c.OpenRequests = nil
	for i := range w.open {
		c.OpenRequests = append(c.OpenRequests, i.offset)
	}
	slices.Sort(c.OpenRequests)
}

// put places an item as it is.
func (w *writer) put(i *Item) error {
	raw := i.raw
	if i.was == nil || !proto.Equal(i.was, i.Event) {
		var err error
		if raw, err = proto.Marshal(i.Event); err != nil {
			return fmt.Errorf("encode forged event: %w", err)
		}
	}
	switch k := i.Event.GetKind().(type) {
	case *logv1.Event_Request:
		w.open[i] = true
	case *logv1.Event_Response:
		w.outputs.Add(chain.EventHash(k.Response.GetOutput()))
		delete(w.open, i.Of)
	case *logv1.Event_Abort:
		delete(w.open, i.Of)
	case *logv1.Event_Checkpoint:
		w.batch.PutCF(w.disk.family("checkpoints"), key(k.Checkpoint.GetCheckpointId()), checkpointRecord(w.next, w.tree))
		w.first, w.id, w.outputs = w.next, k.Checkpoint.GetCheckpointId()+1, chain.Root{}
	}
	i.offset = w.next
	w.store(raw)
	i.hash = w.prev
	return nil
}

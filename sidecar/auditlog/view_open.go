package auditlog

import (
	"context"
	"fmt"
	"maps"
	"slices"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// OpenWindow is what the newest entries of a view say of the whole log.
type OpenWindow struct {
	// Checkpoints is how many there are.
	Checkpoints uint64
	// Open are the requests that have no outcome, ascending.
	Open []uint64
}

// OpenWindow reads the last entries, no more than a full window has: the newest
// checkpoint, which names the requests that were open then, is among them.
func (v *View) OpenWindow(ctx context.Context) (OpenWindow, error) {
	interval := v.genesis.GetCheckpointInterval()
	from := uint64(0)
	if v.tip.Offset > interval {
		from = v.tip.Offset - interval
	}
	from = max(from, v.First()) // which is a checkpoint
	w := openWindowReader{open: map[uint64]struct{}{}}
	for e, err := range v.Entries(ctx, from, v.tip.Offset) {
		if err != nil {
			return OpenWindow{}, err
		}
		if err := w.add(e); err != nil {
			return OpenWindow{}, fmt.Errorf("read newest entries: %w: %w", ErrDamaged, err)
		}
	}
	if from > 0 && !w.sealed {
		return OpenWindow{}, fmt.Errorf("read newest entries: %w: %d to %d hold no checkpoint", ErrDamaged, from, v.tip.Offset)
	}
	return OpenWindow{Checkpoints: w.checkpoints, Open: slices.Sorted(maps.Keys(w.open))}, nil
}

type openWindowReader struct {
	sealed      bool // a checkpoint was seen
	checkpoints uint64
	open        map[uint64]struct{}
}

// add takes the next entry; only outcomes and checkpoints have to be decoded.
func (w *openWindowReader) add(e Entry) error {
	kind, _, err := Peek(e.Raw)
	if err != nil {
		return fmt.Errorf("entry %d: %w", e.Offset, err)
	}
	switch kind {
	case KindRequest:
		w.open[e.Offset] = struct{}{}
		return nil
	case KindResponse, KindAbort, KindCheckpoint:
	default:
		return nil
	}
	ev, err := e.Event()
	if err != nil {
		return err
	}
	switch k := ev.GetKind().(type) {
	case *logv1.Event_Response:
		delete(w.open, k.Response.GetRequestOffset())
	case *logv1.Event_Abort:
		delete(w.open, k.Abort.GetRequestOffset())
	case *logv1.Event_Checkpoint:
		w.seal(k.Checkpoint)
	}
	return nil
}

func (w *openWindowReader) seal(c *logv1.Checkpoint) {
	w.sealed, w.checkpoints = true, c.GetCheckpointId()+1
	clear(w.open)
	for _, o := range c.GetOpenRequests() {
		w.open[o] = struct{}{}
	}
}

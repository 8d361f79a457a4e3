package checkpoint

import (
	"context"
	"slices"

	"verbatim/sidecar/auditlog"
)

// inForce is which of a worker's keys the chain says are in force, as far as it
// was read.
type inForce struct {
	read  bool
	at    uint64 // entries up to here were read
	keys  []*Key
	named int // by the Start, ours or not
}

// keysFor are the keys that sign a checkpoint. What an earlier process left
// unsigned is signed with those of its keys that this one has, too.
func (w *Worker) keysFor(ctx context.Context, v *auditlog.View, newest *Note, at auditlog.CheckpointAt) ([]*Key, error) {
	w.mu.Lock()
	ours := at.Offset > w.start
	w.mu.Unlock()
	if ours {
		return w.o.Keys, nil
	}
	if err := w.readStarts(ctx, v, newest, at.Offset); err != nil {
		return nil, err
	}
	if w.force.named > 0 && len(w.force.keys) == 0 {
		w.o.Logger.Warn("a checkpoint of an earlier run can't be signed any more: none of the keys that were in force is configured",
			"checkpoint", at.Checkpoint.GetCheckpointId(), "offset", at.Offset)
	}
	return w.force.keys, nil
}

// readStarts reads the log up to an offset for Starts. It begins at the newest
// note: the keys on it were in force there. Without one it reads the log from its
// beginning, once.
func (w *Worker) readStarts(ctx context.Context, v *auditlog.View, newest *Note, to uint64) error {
	f := &w.force
	if to < f.at { // what was read further on is of a write that failed
		*f = inForce{}
	}
	if !f.read && newest != nil {
		keys, err := w.signers(newest)
		if err != nil {
			return err
		}
		f.at, f.keys, f.named = newest.Offset, keys, len(newest.sigs)
	}
	f.read = true
	for e, err := range v.Entries(ctx, f.at+1, to) {
		if err != nil {
			return err
		}
		f.at = e.Offset
		kind, _, err := auditlog.Peek(e.Raw)
		if err != nil {
			return err
		}
		if kind != auditlog.KindStart {
			continue
		}
		ev, err := e.Event()
		if err != nil {
			return err
		}
		named := ev.GetStart().GetCheckpointKeys()
		f.named = len(named)
		f.keys = slices.DeleteFunc(slices.Clone(w.o.Keys), func(k *Key) bool { return !slices.Contains(named, k.Public().String()) })
	}
	return nil
}

// signers are those of the worker's keys that signed a note.
func (w *Worker) signers(n *Note) ([]*Key, error) {
	public := make([]VerifierKey, len(w.o.Keys))
	for i, k := range w.o.Keys {
		public[i] = k.Public()
	}
	ids, err := n.SignedBy(public...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(w.o.Keys), func(k *Key) bool { return !slices.Contains(ids, k.Public().ID()) }), nil
}

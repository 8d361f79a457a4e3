package checkpoint

import (
	"context"
	"fmt"
	"slices"

	"verbatim/sidecar/auditlog"
)

// keysFor are the keys that sign a checkpoint. What an earlier process left
// unsigned is signed with those of its keys that this one has, too.
func (w *Worker) keysFor(ctx context.Context, v *auditlog.View, at auditlog.CheckpointAt) ([]*Key, error) {
	w.mu.Lock()
	ours := at.Offset > w.start
	w.mu.Unlock()
	if ours {
		return w.o.Keys, nil
	}
	s, err := inForce(ctx, v, at.Offset)
	if err != nil || s == nil {
		return nil, err
	}
	named := s.keys
	keys := slices.DeleteFunc(slices.Clone(w.o.Keys), func(k *Key) bool { return !slices.Contains(named, k.Public().String()) })
	if len(named) > 0 && len(keys) == 0 {
		w.o.Logger.Warn("a checkpoint of an earlier run can't be signed any more: none of the keys that were in force is configured",
			"checkpoint", at.Checkpoint.GetCheckpointId(), "offset", at.Offset)
	}
	return keys, nil
}

// inForce is the newest Start before an offset, nil if there is none.
func inForce(ctx context.Context, v *auditlog.View, before uint64) (*start, error) {
	at, s, err := v.StartBefore(ctx, before)
	if err != nil {
		return nil, fmt.Errorf("find keys in force at %d: %w", before, err)
	}
	if s == nil {
		return nil, nil //nolint:nilnil // there is none
	}
	return &start{at, s.GetCheckpointKeys()}, nil
}

// InForce are the verifier keys that sign the checkpoint at an offset, by the newest
// Start before it; none: nobody signs.
func InForce(ctx context.Context, v *auditlog.View, offset uint64) ([]string, error) {
	s, err := inForce(ctx, v, offset)
	if err != nil || s == nil {
		return nil, err
	}
	return s.keys, nil
}

package checkpoint

import (
	"context"
	"errors"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// Walk collects what a log's chain says of its checkpoints while package verify
// walks it, so that notes are compared with what was checked: Begin comes before,
// Each is for verify.Options, End comes behind. Its zero value is ready.
type Walk struct {
	checkpoints []signable
	starts      []start

	first   uint64 // the offset at which the verification began, where it had an earlier one before it
	tip     uint64 // the newest offset that was checked
	clockMS uint64 // and its clock
	whole   bool   // the chain holds to its end
}

// signable is a checkpoint and the Start that it was made under, -1 for none.
type signable struct {
	auditlog.CheckpointAt
	start int
}

// start is one that names keys, or no keys any more.
type start struct {
	offset uint64
	keys   []string
}

// Begin takes what stands before the first entry that will be walked, first: of a log
// that was pruned the Starts and checkpoints that are kept for ever; where an earlier
// verification goes on, the Start that is in force.
func (w *Walk) Begin(ctx context.Context, v *auditlog.View, first uint64) error {
	if first > v.First() {
		w.first = first
		s, err := inForce(ctx, v, first)
		if err == nil && s != nil {
			w.starts = append(w.starts, *s)
		}
		return err
	}
	for e, err := range v.Kept(ctx) {
		if err != nil {
			return err
		}
		ev, err := e.Event()
		if err != nil {
			return err
		}
		w.Each(e, ev)
	}
	return nil
}

// Kinds are those of the events that Each needs.
func (w *Walk) Kinds() []auditlog.Kind {
	return []auditlog.Kind{auditlog.KindStart, auditlog.KindCheckpoint}
}

// Each takes the next Start or checkpoint of the chain.
func (w *Walk) Each(e auditlog.Entry, ev *logv1.Event) {
	w.clockMS = ev.GetWallClockMs()
	if s := ev.GetStart(); s != nil {
		w.starts = append(w.starts, start{e.Offset, s.GetCheckpointKeys()})
	}
	if c := ev.GetCheckpoint(); c != nil {
		w.checkpoints = append(w.checkpoints, signable{
			auditlog.CheckpointAt{Offset: e.Offset, ClockMS: w.clockMS, Root: e.Hash(), Checkpoint: c}, len(w.starts) - 1,
		})
	}
}

// End takes what was found: where the walk ended, and whether at the log's end.
func (w *Walk) End(v *auditlog.View, r *verify.Report) error {
	w.whole = !r.Broken
	if r.Entries == 0 {
		w.tip = max(r.First, 1) - 1 // what was kept before is checked apart
		return nil
	}
	w.tip = r.First + r.Entries - 1
	e, err := v.Entry(w.tip)
	if errors.Is(err, auditlog.ErrReopened) {
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // verify names it
	}
	if _, ms, err := auditlog.Peek(e.Raw); err == nil {
		w.clockMS = ms
	}
	return nil
}

// before says that a checkpoint stands before where the verification began.
func (w *Walk) before(id uint64) bool {
	return w.first > 0 && (len(w.checkpoints) == 0 || id < w.checkpoints[0].Checkpoint.GetCheckpointId())
}

// stopped says that the newest entry is the checkpoint of a clean stop.
func (w *Walk) stopped() bool {
	if len(w.checkpoints) == 0 {
		return false
	}
	last := w.checkpoints[len(w.checkpoints)-1]
	return last.Offset == w.tip && last.Checkpoint.GetReason() == logv1.SealReason_SEAL_REASON_STOP
}

// Names says whether the log names keys, as far as it was walked.
func (w *Walk) Names() bool {
	for _, s := range w.starts {
		if len(s.keys) > 0 {
			return true
		}
	}
	return false
}

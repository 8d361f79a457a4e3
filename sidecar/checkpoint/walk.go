package checkpoint

import (
	"context"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// Walk collects what a log's chain says of its checkpoints while package verify
// walks it, so that notes are compared with what was checked. Its zero value is
// ready.
type Walk struct {
	checkpoints []signable
	starts      []start
	tip         uint64 // the newest entry's offset
	clockMS     uint64 // and clock
	stopped     bool   // it is the checkpoint of a clean stop
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

// Begin takes the entries of a log that was pruned and that are kept for ever. It is
// called before the first entry of what remains.
func (w *Walk) Begin(ctx context.Context, v *auditlog.View) error {
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

// Each takes the next entry of the chain, and its event.
func (w *Walk) Each(e auditlog.Entry, ev *logv1.Event) {
	w.tip, w.clockMS, w.stopped = e.Offset, ev.GetWallClockMs(), false
	if s := ev.GetStart(); s != nil {
		w.starts = append(w.starts, start{e.Offset, s.GetCheckpointKeys()})
	}
	if c := ev.GetCheckpoint(); c != nil {
		w.stopped = c.GetReason() == logv1.SealReason_SEAL_REASON_STOP
		w.checkpoints = append(w.checkpoints, signable{
			auditlog.CheckpointAt{Offset: e.Offset, ClockMS: w.clockMS, Root: e.Hash(), Checkpoint: c}, len(w.starts) - 1,
		})
	}
}

// Names says whether the log names keys, ever.
func (w *Walk) Names() bool {
	for _, s := range w.starts {
		if len(s.keys) > 0 {
			return true
		}
	}
	return false
}

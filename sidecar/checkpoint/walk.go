package checkpoint

import (
	"context"
	"errors"

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

// Begin takes the newest entry, and those of a log that was pruned that are kept for
// ever. It is called before the first entry of what remains.
func (w *Walk) Begin(ctx context.Context, v *auditlog.View) error {
	if err := w.end(v); err != nil {
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

// end looks at the newest entry. What can't be read there is verify's to say.
func (w *Walk) end(v *auditlog.View) error {
	w.tip = v.Tip().Offset
	e, err := v.Entry(w.tip)
	if errors.Is(err, auditlog.ErrReopened) {
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // verify names it
	}
	ev, err := e.Event()
	if err != nil {
		return nil //nolint:nilerr // verify names it
	}
	w.newest(e, ev)
	return nil
}

func (w *Walk) newest(e auditlog.Entry, ev *logv1.Event) {
	w.tip, w.clockMS = e.Offset, ev.GetWallClockMs()
	w.stopped = ev.GetCheckpoint().GetReason() == logv1.SealReason_SEAL_REASON_STOP
}

// Each takes the next start or checkpoint of the chain, for verify.Options.Each.
func (w *Walk) Each(e auditlog.Entry, ev *logv1.Event) {
	if e.Offset >= w.tip {
		w.newest(e, ev)
	}
	if s := ev.GetStart(); s != nil {
		w.starts = append(w.starts, start{e.Offset, s.GetCheckpointKeys()})
	}
	if c := ev.GetCheckpoint(); c != nil {
		w.checkpoints = append(w.checkpoints, signable{
			auditlog.CheckpointAt{Offset: e.Offset, ClockMS: ev.GetWallClockMs(), Root: e.Hash(), Checkpoint: c}, len(w.starts) - 1,
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

package retention

import (
	"context"
	"fmt"
	"time"

	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/auditlog"
)

// Bounds of how often time is kept. A mark more often than a thousandth of the keep
// time would only take room; what is counted since the clock was kept last is lost
// in a stop.
const (
	maxMarkEvery = 24 * time.Hour
	maxSaveEvery = time.Minute
	minEvery     = time.Second
)

// timekeeper keeps the counted clock, and marks that say which checkpoint was there
// when. It belongs to one goroutine.
type timekeeper struct {
	log       log
	keep      time.Duration // what marks are needed for
	count     *counter
	saved     time.Duration // the count as it is kept
	marked    time.Duration // the count at the newest mark
	newest    uint64        // its checkpoint
	anyMark   bool
	markEvery time.Duration
	saveEvery time.Duration
}

// newTimekeeper goes on from what the log keeps.
func newTimekeeper(ctx context.Context, l log, clock Clock, keep time.Duration) (*timekeeper, error) {
	v, err := l.View()
	if err != nil {
		return nil, err
	}
	defer v.Close()
	counted, err := readCounted(v)
	if err != nil {
		return nil, err
	}
	k := &timekeeper{
		log: l, keep: keep, count: newCounter(clock, counted), saved: counted,
		markEvery: min(max(keep/1000, minEvery), maxMarkEvery), saveEvery: min(max(keep/1000, minEvery), maxSaveEvery),
	}
	for m, err := range marks(ctx, v) {
		if err != nil {
			return nil, err
		}
		k.marked, k.newest, k.anyMark = millis(m.GetCountedMs()), m.GetCheckpointId(), true
	}
	return k, nil
}

// lookSynced counts the time that went by. It returns after the count, and a mark
// of the newest checkpoint where one is due, are durable, or at once if none is.
func (k *timekeeper) lookSynced(ctx context.Context, v *auditlog.View, checkpoints uint64) (counted time.Duration, err error) {
	now := k.count.advance()
	mark := checkpoints > 0 && (!k.anyMark || checkpoints-1 > k.newest && now-k.marked >= k.markEvery)
	if !mark && now-k.saved < k.saveEvery {
		return now, nil
	}
	ms := uint64(now.Milliseconds())
	clock, err := record(keyClock, &retentionv1.Clock{CountedMs: ms})
	if err != nil {
		return now, err
	}
	records := []auditlog.Record{clock}
	if mark {
		newest, err := record(markKey(checkpoints-1), &retentionv1.Mark{CountedMs: ms, CheckpointId: checkpoints - 1})
		if err != nil {
			return now, err
		}
		records = append(records, newest)
		old, err := k.outlived(ctx, v, now)
		if err != nil {
			return now, err
		}
		records = append(records, old...)
	}
	if err := k.log.KeepSynced(ctx, records...); err != nil {
		return now, fmt.Errorf("keep retention clock: %w", err)
	}
	k.saved = millis(ms)
	if mark {
		k.marked, k.newest, k.anyMark = millis(ms), checkpoints-1, true
	}
	return now, nil
}

// outlived are removals of the marks that tell nothing any more: of those older
// than the keep time only the newest does.
func (k *timekeeper) outlived(ctx context.Context, v *auditlog.View, now time.Duration) ([]auditlog.Record, error) {
	var aged []auditlog.Record
	for m, err := range marks(ctx, v) {
		if err != nil {
			return nil, err
		}
		if now-millis(m.GetCountedMs()) < k.keep {
			break
		}
		aged = append(aged, auditlog.Record{Key: markKey(m.GetCheckpointId())})
	}
	return aged[:max(0, len(aged)-1)], nil
}

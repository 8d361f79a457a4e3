package auditlog

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// OffsetAt returns the first offset whose wall clock is clockMS or later, and
// the offset behind the tip if there is none.
func (v *View) OffsetAt(clockMS uint64) (uint64, error) {
	lo, hi, err := v.windowBefore(clockMS)
	if err != nil {
		return 0, err
	}
	// Where the log was cut, no window before the first tells of the time.
	lo = max(lo, v.First())
	for lo < hi {
		mid := lo + (hi-lo)/2
		e, err := v.Entry(mid)
		if err != nil {
			return 0, err
		}
		_, at, err := Peek(e.Raw)
		if err != nil {
			return 0, fmt.Errorf("read clock of entry %d: %w", mid, err)
		}
		if at < clockMS {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, nil
}

// windowBefore narrows a search by time: the answer is in lo..hi.
func (v *View) windowBefore(clockMS uint64) (lo, hi uint64, err error) {
	hi = v.tip.Offset + 1
	if clockMS == 0 {
		return 0, hi, nil
	}
	err = v.access.with(v.s, func() error {
		it := v.s.db.NewIteratorCF(v.read, v.s.family(cfTimes))
		defer it.Close()
		it.SeekForPrev(timeKey(clockMS-1, ^uint64(0)))
		if it.Valid() {
			value := it.Value()
			defer value.Free()
			first, _, err := decodePair(value.Data())
			lo = first
			if err != nil {
				return err
			}
			if it.Next(); it.Valid() {
				next := it.Value()
				defer next.Free()
				hi, _, err = decodePair(next.Data())
				return err
			}
		}
		return it.Err()
	})
	return lo, hi, err
}

// CheckpointAt is a checkpoint and its place in the chain.
type CheckpointAt struct {
	Offset     uint64
	ClockMS    uint64
	Root       chain.Hash // the entry hash: what is anchored
	Checkpoint *logv1.Checkpoint
}

// Checkpoints returns the checkpoints of this view from an id on, in order. It
// reads one entry for each.
func (v *View) Checkpoints(ctx context.Context, fromID uint64) ([]CheckpointAt, error) {
	offsets, err := v.checkpointOffsets(fromID)
	if err != nil {
		return nil, err
	}
	list := make([]CheckpointAt, 0, len(offsets))
	for _, o := range offsets {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("read checkpoints: %w", context.Cause(ctx))
		}
		c, err := v.CheckpointAt(o)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// Checkpoint returns one checkpoint of this view; ErrNoEntry if it has none with
// that id.
func (v *View) Checkpoint(id uint64) (CheckpointAt, error) {
	offset, err := v.checkpointOffset(id)
	if err != nil {
		return CheckpointAt{}, fmt.Errorf("read checkpoint %d: %w", id, err)
	}
	return v.CheckpointAt(offset)
}

// checkpointOffset is where a checkpoint stands, by its record.
func (v *View) checkpointOffset(id uint64) (offset uint64, err error) {
	err = v.access.with(v.s, func() error {
		record, err := v.s.get(v.read, cfCheckpoints, offsetKey(id))
		if err == nil && len(record) >= 8 {
			offset = binary.BigEndian.Uint64(record)
		} else if err == nil {
			err = ErrNoEntry
		}
		return err
	})
	return offset, err
}

// CheckpointAt returns the checkpoint whose entry stands at an offset; ErrDamaged if
// another kind of entry does.
func (v *View) CheckpointAt(offset uint64) (CheckpointAt, error) {
	e, err := v.Entry(offset)
	if err != nil {
		return CheckpointAt{}, err
	}
	ev, err := e.Event()
	if err != nil {
		return CheckpointAt{}, err
	}
	if ev.GetCheckpoint() == nil {
		return CheckpointAt{}, fmt.Errorf("read checkpoint at %d: %w: the entry is another", offset, ErrDamaged)
	}
	return CheckpointAt{Offset: offset, ClockMS: ev.GetWallClockMs(), Root: e.Hash(), Checkpoint: ev.GetCheckpoint()}, nil
}

func (v *View) checkpointOffsets(fromID uint64) ([]uint64, error) {
	var offsets []uint64
	err := v.access.with(v.s, func() error {
		it := v.s.db.NewIteratorCF(v.read, v.s.family(cfCheckpoints))
		defer it.Close()
		for it.Seek(offsetKey(fromID)); it.Valid(); it.Next() {
			value := it.Value()
			ok := value.Size() >= 8
			if ok {
				offsets = append(offsets, binary.BigEndian.Uint64(value.Data()))
			}
			value.Free()
			if !ok {
				return fmt.Errorf("read checkpoints: %w", ErrDamaged)
			}
		}
		return it.Err()
	})
	return slices.DeleteFunc(offsets, func(o uint64) bool { return o > v.tip.Offset }), err
}

// LastCheckpoint is the newest checkpoint of this view; nil if it has none.
func (v *View) LastCheckpoint() (*CheckpointAt, error) {
	var offset uint64
	found := false
	err := v.access.with(v.s, func() error {
		it := v.s.db.NewIteratorCF(v.read, v.s.family(cfCheckpoints))
		defer it.Close()
		for it.SeekToLast(); it.Valid() && !found; it.Prev() {
			value := it.Value()
			if value.Size() >= 8 {
				offset = binary.BigEndian.Uint64(value.Data())
				found = offset <= v.tip.Offset // the store can be ahead
			}
			value.Free()
		}
		return it.Err()
	})
	if err != nil || !found {
		return nil, err
	}
	c, err := v.CheckpointAt(offset)
	return &c, err
}

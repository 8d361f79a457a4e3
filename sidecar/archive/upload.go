package archive

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// upload brings up what one manifest names.
type upload struct {
	*Archiver
	ctx      context.Context // of one call
	view     *auditlog.View
	manifest *Manifest
	bytes    uint64

	links links
	open  *segmentWriter // nil between two segments
	// The newest checkpoint that was followed; its root is zero if there was none.
	checkpoint End
}

// segmentsThrough adds sealed windows behind what is archived, all there are or as
// many as a manifest names.
func (u *upload) segmentsThrough(newest *sealed) error {
	nextID := uint64(0)
	switch {
	case newest != nil:
		nextID = newest.Through.CheckpointID + 1
		u.links = links{next: newest.Through.Offset + 1, prev: newest.Through.Root}
	case u.manifest.Remains != nil:
		c, err := u.view.CheckpointAt(u.manifest.Remains.Cut.Offset)
		if err != nil {
			return fmt.Errorf("read log to archive it: %w", err)
		}
		nextID = c.Checkpoint.GetCheckpointId()
	}
	last, found, err := lastCheckpoint(u.view, nextID)
	if err != nil || !found {
		return err
	}
	u.links.hasher = chain.NewHasher()
	for e, err := range u.view.Entries(u.ctx, u.links.next, last.Offset) {
		if err != nil {
			return fmt.Errorf("read log to archive it: %w", err)
		}
		full, err := u.entry(e)
		if err != nil {
			return err
		}
		if full {
			break
		}
	}
	return u.end(last)
}

// entry takes one entry whose link to the one before it holds; full says that the
// manifest ends with it.
func (u *upload) entry(e auditlog.Entry) (full bool, err error) {
	root, err := u.links.follow(e)
	if err != nil {
		return false, broken(err)
	}
	// What was full waited for this: now the link to its last entry is checked too.
	if u.full() {
		if err := u.finish(); err != nil {
			return false, err
		}
		if u.sealedThrough(e.Offset-1) && len(u.manifest.Segments) >= u.segments {
			return true, nil
		}
	}
	if u.open == nil {
		if u.open, err = newSegmentWriter(u.manifest.LogID, e.Offset); err != nil {
			return false, err
		}
	}
	if err := u.open.add(e, root); err != nil {
		return false, err
	}
	return false, u.noteCheckpoint(e, root)
}

// noteCheckpoint remembers an entry that is a checkpoint.
func (u *upload) noteCheckpoint(e auditlog.Entry, root chain.Hash) error {
	kind, _, err := auditlog.Peek(e.Raw)
	if err != nil || kind != auditlog.KindCheckpoint {
		return err
	}
	ev, err := e.Event()
	if err != nil {
		return broken(err)
	}
	u.checkpoint = End{Offset: e.Offset, CheckpointID: ev.GetCheckpoint().GetCheckpointId(), Root: root}
	return nil
}

// full says that the segment is as large as it should be, at a checkpoint, or much
// larger.
func (u *upload) full() bool {
	if u.open == nil {
		return false
	}
	last := u.open.first + u.open.count - 1
	return u.open.raw >= u.segmentBytes && u.sealedThrough(last) || u.open.raw >= 4*u.segmentBytes
}

// sealedThrough says that an offset is the newest checkpoint's.
func (u *upload) sealedThrough(offset uint64) bool {
	return u.checkpoint.Root != chain.Hash{} && u.checkpoint.Offset == offset
}

// end brings up what is left. last is where the log's sealed windows end.
func (u *upload) end(last auditlog.CheckpointAt) error {
	if u.open != nil {
		if u.links.next != last.Offset+1 || !u.sealedThrough(last.Offset) {
			return broken(fmt.Errorf("there is no entry %d, but checkpoint %d is said to be at %d",
				u.links.next, last.Checkpoint.GetCheckpointId(), last.Offset))
		}
		if err := u.links.last(u.view); err != nil {
			return err
		}
		if err := u.finish(); err != nil {
			return err
		}
	}
	if len(u.manifest.Segments) > 0 {
		u.manifest.Through = u.checkpoint
	}
	return nil
}

// finish brings up the open segment.
func (u *upload) finish() error {
	s, object, err := u.open.finish()
	if err != nil {
		return err
	}
	u.open = nil
	u.manifest.Segments = append(u.manifest.Segments, s)
	return u.keep(s.key(), object)
}

func (u *upload) keep(key string, object []byte) error {
	written, err := u.o.Bucket.keepSynced(u.ctx, key, object)
	if written {
		u.bytes += uint64(len(object))
	}
	return err
}

// records adds what has come beside the chain, all or as much as fits.
func (u *upload) records() error {
	var list []auditlog.Record
	size := uint64(0)
	for _, prefix := range slices.SortedFunc(slices.Values(u.o.Prefixes), bytes.Compare) {
		var from []byte
		if last, ok := u.manifest.Recorded[string(prefix)]; ok {
			from = append([]byte(last), 0)
		}
		for r, err := range u.view.Records(u.ctx, prefix, from) {
			if err != nil {
				return err
			}
			if size >= u.recordBytes {
				break
			}
			list = append(list, r)
			size += uint64(len(r.Key) + len(r.Value))
			if u.manifest.Recorded == nil {
				u.manifest.Recorded = map[string]string{}
			}
			u.manifest.Recorded[string(prefix)] = string(r.Key)
		}
	}
	if len(list) == 0 {
		return nil
	}
	object, err := encodeRecords(u.manifest.LogID, list)
	if err != nil {
		return err
	}
	r := &Records{Count: uint64(len(list)), Object: Object{Digest: chain.EventHash(object), Size: uint64(len(object))}}
	u.manifest.Records = r
	return u.keep(r.key(), object)
}

package auditlog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// clearing are the writes that remove a cut part.
func clearing(s *store, cut Cut) ([]write, error) {
	window, err := windowBehind(s, cut.Offset)
	if err != nil {
		return nil, err
	}
	// The block that begins with the checkpoint stays.
	writes := []write{
		{family: cfPacked, end: offsetKey(cut.Offset)},
		{family: cfLinks, end: offsetKey(cut.Offset)},
	}
	times, err := timesBefore(s, window)
	if err != nil {
		return nil, err
	}
	lists, err := listsBefore(s, window)
	return slices.Concat(writes, times, lists), err
}

// windowBehind is the id of the first window that a cut leaves: the one that begins
// with the checkpoint at its offset.
func windowBehind(s *store, offset uint64) (uint64, error) {
	e, err := s.entry(s.read, offset)
	if err != nil {
		return 0, err
	}
	ev, err := e.Event()
	if err != nil {
		return 0, err
	}
	if ev.GetCheckpoint() == nil {
		return 0, fmt.Errorf("%w: entry %d is no checkpoint", ErrDamaged, offset)
	}
	return ev.GetCheckpoint().GetCheckpointId() + 1, nil
}

// timesBefore are the removals of the windows before one from the index by time.
func timesBefore(s *store, window uint64) (writes []write, err error) {
	it := s.db.NewIteratorCF(s.read, s.family(cfTimes))
	defer it.Close()
	for it.SeekToFirst(); it.Valid(); it.Next() {
		key := it.Key()
		_, id, err := decodePair(key.Data())
		if err == nil && id < window {
			writes = append(writes, write{family: cfTimes, key: bytes.Clone(key.Data())})
		}
		key.Free()
		if err != nil {
			return nil, err
		}
		if id >= window {
			break
		}
	}
	return writes, it.Err()
}

// listsBefore are the removals of the posting lists of the windows before one. It goes
// from term to term.
func listsBefore(s *store, window uint64) (writes []write, err error) {
	it := s.db.NewIteratorCF(s.read, s.family(cfTerms))
	defer it.Close()
	for it.SeekToFirst(); it.Valid(); {
		key := it.Key()
		if size := key.Size(); size < 8 {
			key.Free()
			return nil, fmt.Errorf("%w: a posting list has a key of %d bytes", ErrDamaged, size)
		}
		prefix := bytes.Clone(key.Data()[:key.Size()-8])
		first := binary.BigEndian.Uint64(key.Data()[key.Size()-8:])
		key.Free()
		if first < window {
			writes = append(writes, write{
				family: cfTerms, key: append(bytes.Clone(prefix), offsetKey(0)...), end: append(bytes.Clone(prefix), offsetKey(window)...),
			})
		}
		it.Seek(append(append(bytes.Clone(prefix), offsetKey(^uint64(0))...), 0))
	}
	return writes, it.Err()
}

package auditlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// A log stores more than its entries: what readers find them by. No hash covers
// that, so a verifier computes it again and asks here whether the same is
// stored.

// StoredTip is the newest entry by the store itself. In a view of a Log that is
// being written it can be ahead of Tip.
func (v *View) StoredTip() (tip Tip, err error) {
	err = v.access.with(v.s, func() error {
		tip, err = readTip(v.s, v.read)
		return err
	})
	return tip, err
}

// StoredBehind says whether anything is stored as an entry behind an offset.
func (v *View) StoredBehind(offset uint64) (found bool, err error) {
	err = v.access.with(v.s, func() error {
		it := v.s.db.NewIteratorCF(v.read, v.s.family(cfEntries))
		defer it.Close()
		it.Seek(append(offsetKey(offset), 0))
		found = it.Valid()
		return it.Err()
	})
	return found, err
}

// Indexed says how far the stored index reaches: it has the windows below an
// id, and they end before an offset.
func (v *View) Indexed() (id, offset uint64, err error) {
	err = v.access.with(v.s, func() error {
		id, offset, err = readIndexed(v.s, v.read)
		return err
	})
	return id, offset, err
}

// EachNode calls f for every stored Merkle node; ok is false for what is none.
func (v *View) EachNode(ctx context.Context, f func(id chain.NodeID, hash chain.Hash, ok bool)) error {
	return v.eachStored(ctx, cfTree, func(key, value []byte) {
		id, ok := parseTreeKey(key)
		if !ok || len(value) != chain.Size {
			f(id, chain.Hash{}, false)
			return
		}
		f(id, chain.Hash(value), true)
	})
}

// EachCheckpoint calls f for every checkpoint that is recorded; ok is false for
// what is no such record.
func (v *View) EachCheckpoint(ctx context.Context, f func(id, offset uint64, ok bool)) error {
	return v.eachStored(ctx, cfCheckpoints, func(key, value []byte) {
		if len(key) != 8 || len(value) < 8 {
			f(0, 0, false)
			return
		}
		f(binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(value), true)
	})
}

// EachTime calls f with every window that the time index has; ok is false for
// what is none.
func (v *View) EachTime(ctx context.Context, f func(window uint64, ok bool)) error {
	return v.eachStored(ctx, cfTimes, func(key, _ []byte) {
		_, window, err := decodePair(key)
		f(window, err == nil)
	})
}

// eachStored calls f for every key of a column family, in order. It reads in
// chunks, so that the log can be closed in between. f must not keep the slices.
func (v *View) eachStored(ctx context.Context, cf string, f func(key, value []byte)) error {
	var next []byte
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read %s: %w", cf, context.Cause(ctx))
		}
		err := v.access.with(v.s, func() error {
			it := v.s.db.NewIteratorCF(v.scan, v.s.family(cf))
			defer it.Close()
			if it.SeekToFirst(); next != nil {
				it.Seek(next)
			}
			for n := 0; it.Valid() && n < chunkEntries; n++ {
				key, value := it.Key(), it.Value()
				f(key.Data(), value.Data())
				next = append(append(next[:0], key.Data()...), 0)
				key.Free()
				value.Free()
				it.Next()
			}
			more = it.Valid()
			return it.Err()
		})
		if err != nil {
			return fmt.Errorf("read %s: %w", cf, err)
		}
	}
	return nil
}

// noGenesis stands for one that was lost, so that the rest can be read.
func noGenesis() *logv1.Genesis {
	return &logv1.Genesis{LogId: make([]byte, chain.Size), FormatVersion: FormatVersion, CheckpointInterval: DefaultInterval}
}

// genesisLost says that entry 0 is missing, or is not what was written: its
// event hash is another's, or the entry behind it names another.
func genesisLost(s *store) bool {
	value, err := s.get(s.read, cfEntries, offsetKey(0))
	if err == nil && value != nil && len(value) < entryHead {
		return true
	}
	e, err := s.entry(s.read, 0)
	if errors.Is(err, ErrNoEntry) {
		return true
	}
	if err != nil {
		return false // the storage fails, not the entry
	}
	if stored, ok := e.StoredEventHash(); ok {
		return chain.EventHash(e.Raw) != stored
	}
	after, err := s.entry(s.read, 1)
	return err == nil && after.PrevEntryHash != e.Hash()
}

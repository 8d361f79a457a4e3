package auditlog

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/linxGnu/grocksdb"
)

// Record is something that is kept beside the chain as long as the log exists:
// what proves it elsewhere. It is not hashed, and to the log it is opaque.
type Record struct {
	// Key orders the records, octet by octet. It is not empty.
	Key []byte
	// Value nil removes the record.
	Value []byte
}

// KeepSynced writes records in place of older ones with their keys, all or none,
// and returns after they are durable. Records of one caller are written in the
// order of its calls. Errors: ErrNotWritable, ErrClosed, or ctx's; after one the
// records may be there all the same, and writing them again is right. The log
// owns the slices.
func (l *Log) KeepSynced(ctx context.Context, records ...Record) error {
	writes := make([]write, 0, len(records))
	for _, r := range records {
		writes = append(writes, write{family: cfRecords, key: r.Key, value: r.Value})
	}
	if err := l.store(ctx, writes); err != nil {
		return fmt.Errorf("keep records: %w", err)
	}
	return nil
}

// store returns after writes beside the chain are durable.
func (l *Log) store(ctx context.Context, writes []write) error {
	_, err := l.queue.enqueue(&Pending{writes: writes, done: make(chan struct{})}).Wait(ctx)
	return err
}

// store adds what stands beside the chain to a batch.
func (b *batch) store(writes []write) {
	for _, w := range writes {
		switch family := b.family(w.family); {
		case w.end != nil:
			b.rocks.DeleteRangeCF(family, w.key, w.end)
		case w.value == nil:
			b.rocks.DeleteCF(family, w.key)
		default:
			b.rocks.PutCF(family, w.key, w.value)
		}
	}
}

// Record returns the value that is kept under a key, a copy; nil if there is none.
func (v *View) Record(key []byte) (value []byte, err error) {
	err = v.access.with(v.s, func() (err error) {
		value, err = v.s.get(v.read, cfRecords, key)
		return err
	})
	return value, err
}

// Records yields the records whose keys begin with prefix, from the key from on,
// in the order of their keys. After an error it ends. The slices are the caller's.
func (v *View) Records(ctx context.Context, prefix, from []byte) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		next := from
		if slices.Compare(next, prefix) < 0 {
			next = prefix
		}
		for {
			if ctx.Err() != nil {
				yield(Record{}, fmt.Errorf("read records: %w", context.Cause(ctx)))
				return
			}
			chunk, err := v.recordChunk(prefix, next)
			for _, r := range chunk {
				if !yield(r, nil) {
					return
				}
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
			if len(chunk) < chunkEntries {
				return
			}
			next = append(slices.Clone(chunk[len(chunk)-1].Key), 0)
		}
	}
}

// LastRecord returns the record with the last key that begins with prefix; found is
// false if there is none. The slices are the caller's. prefix does not end in 0xff.
func (v *View) LastRecord(prefix []byte) (last Record, found bool, err error) {
	behind := slices.Clone(prefix)
	behind[len(behind)-1]++
	err = v.access.with(v.s, func() error {
		it := v.s.db.NewIteratorCF(v.read, v.s.family(cfRecords))
		defer it.Close()
		it.SeekForPrev(behind)
		if it.Valid() && bytes.Equal(it.Key().Data(), behind) {
			it.Prev()
		}
		if found = it.ValidForPrefix(prefix); found {
			last = copyRecord(it)
		}
		return recordsError(it.Err())
	})
	return last, found, err
}

func copyRecord(it *grocksdb.Iterator) Record {
	key, value := it.Key(), it.Value()
	defer key.Free()
	defer value.Free()
	return Record{slices.Clone(key.Data()), append([]byte{}, value.Data()...)}
}

func recordsError(err error) error {
	if err != nil {
		return fmt.Errorf("read records: %w: %w", ErrDamaged, err)
	}
	return nil
}

func (v *View) recordChunk(prefix, from []byte) (chunk []Record, err error) {
	err = v.access.with(v.s, func() error {
		it := v.s.db.NewIteratorCF(v.scan, v.s.family(cfRecords))
		defer it.Close()
		for it.Seek(from); it.ValidForPrefix(prefix) && len(chunk) < chunkEntries; it.Next() {
			chunk = append(chunk, copyRecord(it))
		}
		return recordsError(it.Err())
	})
	return chunk, err
}

package auditlog

import (
	"fmt"

	"github.com/linxGnu/grocksdb"
)

// scan calls f for the stored entries from an offset on, in order, until it
// returns false or an error.
func (s *store) scan(ro *grocksdb.ReadOptions, from uint64, f func(Entry) (bool, error)) error {
	it := s.db.NewIteratorCF(ro, s.family(cfEntries))
	defer it.Close()
	next := from
	for it.Seek(offsetKey(from)); it.Valid(); it.Next() {
		e, err := entryAt(it)
		if err != nil {
			return err
		}
		more, err := f(e)
		if err != nil || !more {
			return err
		}
		next = e.Offset + 1
	}
	if err := it.Err(); err != nil {
		return fmt.Errorf("read entry %d: %w: %w", next, ErrDamaged, err)
	}
	return nil
}

// entryAt copies the entry at an iterator's place.
func entryAt(it *grocksdb.Iterator) (Entry, error) {
	k, v := it.Key(), it.Value()
	defer k.Free()
	defer v.Free()
	offset, err := parseOffsetKey(k.Data())
	if err != nil {
		return Entry{}, err
	}
	return decodeEntry(offset, v.Data())
}

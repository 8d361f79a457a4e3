package auditlog

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/linxGnu/grocksdb"

	"verbatim/sidecar/chain"
)

// scan calls f for the stored entries from an offset on, in order, until it
// returns false or an error: those in blocks first, then those that stand alone.
// Entries of one block share a buffer.
func (s *store) scan(ro *grocksdb.ReadOptions, from uint64, f func(Entry) (bool, error)) error {
	// This iterator's state is taken first: what is moved into blocks meanwhile is
	// seen twice, and not missed.
	alone := s.db.NewIteratorCF(ro, s.family(cfEntries))
	defer alone.Close()
	next, more := from, true
	err := s.scanBlocks(ro, from, func(b *block) (bool, error) {
		for next = max(next, b.first); next < b.first+b.count(); next++ {
			var err error
			if more, err = f(b.at(next)); err != nil || !more {
				return false, err
			}
		}
		return true, nil
	})
	if err != nil || !more {
		return err
	}
	for alone.Seek(offsetKey(next)); alone.Valid(); alone.Next() {
		e, err := entryAt(alone)
		if err != nil {
			return err
		}
		if more, err = f(e); err != nil || !more {
			return err
		}
		next = e.Offset + 1
	}
	if err := alone.Err(); err != nil {
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

// scanBlocks calls f for the blocks from the one with an offset on, in order.
func (s *store) scanBlocks(ro *grocksdb.ReadOptions, from uint64, f func(*block) (bool, error)) error {
	raws := s.db.NewIteratorCF(ro, s.family(cfPacked))
	defer raws.Close()
	links := s.db.NewIteratorCF(ro, s.family(cfLinks))
	defer links.Close()
	if raws.SeekForPrev(offsetKey(from)); !raws.Valid() {
		if err := blockError(from, raws.Err()); err != nil {
			return err
		}
		raws.SeekToFirst()
	}
	for first := true; raws.Valid(); raws.Next() {
		b, err := s.blockOf(ro, raws, links, first)
		if err != nil {
			return err
		}
		if !first && b.first < from {
			return &TwiceError{b.first}
		}
		if more, err := f(b); err != nil || !more {
			return err
		}
		from, first = b.first+b.count(), false
		links.Next()
	}
	return blockError(from, raws.Err())
}

// blockOf copies the block at the place of an iterator. The first one has to be looked
// for among the links, and must not be one of two that overlap.
func (s *store) blockOf(ro *grocksdb.ReadOptions, raws, links *grocksdb.Iterator, first bool) (*block, error) {
	key := raws.Key()
	defer key.Free()
	if first {
		links.Seek(key.Data())
	}
	b, err := blockAt(key.Data(), raws, links)
	if err == nil && first {
		err = s.apart(ro, b.first)
	}
	return b, err
}

func blockError(from uint64, err error) error {
	if err != nil {
		return fmt.Errorf("read entry %d: %w: %w", from, ErrDamaged, err)
	}
	return nil
}

// blockAt copies the block at the places of two iterators.
func blockAt(key []byte, raws, links *grocksdb.Iterator) (*block, error) {
	first, err := parseOffsetKey(key)
	if err != nil {
		return nil, err
	}
	if err := blockError(first, raws.Err()); err != nil {
		return nil, err
	}
	value := raws.Value()
	defer value.Free()
	var hashes []byte
	if links.Valid() {
		at, link := links.Key(), links.Value()
		if bytes.Equal(at.Data(), key) {
			hashes = append([]byte(nil), link.Data()...)
		}
		at.Free()
		link.Free()
	}
	if err := blockError(first, links.Err()); err != nil {
		return nil, err
	}
	return decodeBlock(first, append([]byte(nil), value.Data()...), hashes)
}

// blockWith reads the block that has an offset into b, with which it copies, and says
// whether there is one. The raw bytes are read by other options than the rest: what is
// kept of them is for the caller to say.
func (s *store) blockWith(ro, raw *grocksdb.ReadOptions, offset uint64, b *block) (found bool, err error) {
	// The hashes come first: to find a key before an offset RocksDB reads the value
	// behind it, too, and one of raw bytes takes far longer to decompress.
	first, hashes, err := s.lastBefore(ro, cfLinks, offset)
	if err != nil {
		return false, err
	}
	if first != nil && offset-binary.BigEndian.Uint64(first) < uint64(len(hashes)/chain.Size) {
		found, err = s.pinned(raw, cfPacked, first, func(raws []byte) error {
			return b.copy(binary.BigEndian.Uint64(first), raws, hashes)
		})
	}
	if !found && err == nil {
		// One of the two may be missing: what is there of the block says so.
		var raws []byte
		if first, raws, err = s.lastBefore(ro, cfPacked, offset); err != nil || first == nil {
			return false, err
		}
		if hashes, err = s.get(ro, cfLinks, first); err != nil {
			return false, err
		}
		err = b.copy(binary.BigEndian.Uint64(first), raws, hashes)
	}
	return err == nil && offset-b.first < b.count(), err
}

// pinned calls f with a value, which is RocksDB's, and says whether there is one.
func (s *store) pinned(ro *grocksdb.ReadOptions, cf string, key []byte, f func([]byte) error) (found bool, err error) {
	v, err := s.db.GetPinnedCF(ro, s.family(cf), key)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", cf, err)
	}
	defer v.Destroy()
	if !v.Exists() {
		return false, nil
	}
	return true, f(v.Data())
}

// lastBefore returns copies of the last key up to an offset, which is one, and its
// value; nil if there is none.
func (s *store) lastBefore(ro *grocksdb.ReadOptions, family string, offset uint64) (key, value []byte, err error) {
	it := s.db.NewIteratorCF(ro, s.family(family))
	defer it.Close()
	if it.SeekForPrev(offsetKey(offset)); !it.Valid() {
		return nil, nil, blockError(offset, it.Err())
	}
	k, v := it.Key(), it.Value()
	defer k.Free()
	defer v.Free()
	if _, err := parseOffsetKey(k.Data()); err != nil {
		return nil, nil, err
	}
	return append([]byte{}, k.Data()...), append([]byte{}, v.Data()...), nil
}

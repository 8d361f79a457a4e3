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
	c := s.newScanner(ro, from)
	defer c.close()
	for {
		b := &block{}
		if more, err := c.block(b); err != nil {
			return err
		} else if !more {
			break
		}
		for ; c.next < b.first+b.count(); c.next++ {
			if more, err := f(b.at(c.next)); err != nil || !more {
				return err
			}
		}
	}
	for {
		e, more, err := c.entry()
		if err != nil || !more {
			return err
		}
		if more, err = f(e); err != nil || !more {
			return err
		}
	}
}

// scanner reads entries in order: those in blocks first, then those that stand alone.
// It is not safe for use by several goroutines.
type scanner struct {
	s     *store
	ro    *grocksdb.ReadOptions
	next  uint64 // the first offset that was not given
	begun bool
	ended bool // behind the last block
	// The first one's state is taken first: what is moved into blocks meanwhile is
	// seen twice, and not missed.
	alone, raws, links *storeIterator
}

// newScanner has to be closed, unless the store is closed before.
func (s *store) newScanner(ro *grocksdb.ReadOptions, from uint64) *scanner {
	c := &scanner{s: s, ro: ro, next: from}
	c.alone, c.raws, c.links = s.newIterator(ro, cfEntries), s.newIterator(ro, cfPacked), s.newIterator(ro, cfLinks)
	return c
}

func (c *scanner) close() {
	c.alone.close()
	c.raws.close()
	c.links.close()
}

// block copies the next block, which has c.next or begins behind it, into b; false if
// there is none, and then entry gives what is left. The caller moves c.next on.
func (c *scanner) block(b *block) (more bool, err error) {
	if c.ended {
		return false, nil
	}
	if !c.begun {
		err = c.begin(b)
	} else if c.raws.Next(); c.raws.Valid() {
		c.links.Next()
		if err = b.read(c.raws.Iterator, c.links.Iterator); err == nil && b.first < c.next {
			err = &TwiceError{b.first}
		}
	}
	if err != nil {
		return false, err
	}
	if !c.raws.Valid() {
		c.ended = true
		c.alone.Seek(offsetKey(c.next))
		return false, blockError(c.next, c.raws.Err())
	}
	c.next = max(c.next, b.first)
	return true, nil
}

// begin copies the first block that is wanted. It has to be looked for among the
// links, and must not be one of two that overlap.
func (c *scanner) begin(b *block) error {
	c.begun = true
	if c.raws.SeekForPrev(offsetKey(c.next)); !c.raws.Valid() {
		if err := blockError(c.next, c.raws.Err()); err != nil {
			return err
		}
		if c.raws.SeekToFirst(); !c.raws.Valid() {
			return nil
		}
	}
	key := c.raws.Key()
	c.links.Seek(key.Data())
	key.Free()
	if err := b.read(c.raws.Iterator, c.links.Iterator); err != nil {
		return err
	}
	if err := c.s.apart(c.ro, b.first); err != nil {
		return err
	}
	if b.first+b.count() > c.next {
		return nil
	}
	_, err := c.block(b)
	return err
}

// entry copies the next entry that stands alone.
func (c *scanner) entry() (e Entry, more bool, err error) {
	if !c.alone.Valid() {
		if err := c.alone.Err(); err != nil {
			return Entry{}, false, fmt.Errorf("read entry %d: %w: %w", c.next, ErrDamaged, err)
		}
		return Entry{}, false, nil
	}
	if e, err = entryAt(c.alone.Iterator); err != nil {
		return Entry{}, false, err
	}
	c.next = e.Offset + 1
	c.alone.Next()
	return e, true, nil
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

func blockError(from uint64, err error) error {
	if err != nil {
		return fmt.Errorf("read entry %d: %w: %w", from, ErrDamaged, err)
	}
	return nil
}

// read copies the block at the places of two iterators.
func (b *block) read(raws, links *grocksdb.Iterator) error {
	key := raws.Key()
	defer key.Free()
	first, err := parseOffsetKey(key.Data())
	if err != nil {
		return err
	}
	if err := blockError(first, raws.Err()); err != nil {
		return err
	}
	value := raws.Value()
	defer value.Free()
	var hashes []byte
	if links.Valid() {
		at, link := links.Key(), links.Value()
		defer at.Free()
		defer link.Free()
		if bytes.Equal(at.Data(), key.Data()) {
			hashes = link.Data()
		}
	}
	if err := blockError(first, links.Err()); err != nil {
		return err
	}
	return b.copy(first, value.Data(), hashes)
}

// blockWith copies the block that has an offset into b, and says whether there is one.
func (s *store) blockWith(ro *grocksdb.ReadOptions, offset uint64, b *block) (found bool, err error) {
	// The hashes come first: to find a key before an offset RocksDB reads the value
	// behind it, too, and one of raw bytes takes far longer to decompress.
	first, hashes, err := s.lastBefore(ro, cfLinks, offset)
	if err != nil {
		return false, err
	}
	if first != nil && offset-binary.BigEndian.Uint64(first) < uint64(len(hashes)/chain.Size) {
		found, err = s.pinned(ro, cfPacked, first, func(raws []byte) error {
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

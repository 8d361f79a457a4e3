package auditlog

import (
	"fmt"

	"github.com/linxGnu/grocksdb"

	"verbatim/sidecar/chain"
)

// Entries are read in order by some and looked up by others. Both are told the same
// only if each is stored once: in one block, or alone behind all blocks.

// StoredTwice looks for an entry that stands alone although it is in a block, or
// would be looked for alone because the blocks are said to end before they do. It
// returns the first such offset. Blocks that overlap are an error where they are read.
func (v *View) StoredTwice() (offset uint64, found bool, err error) {
	err = v.access.with(v.s, func() error {
		end, err := v.s.blocksEnd(v.read)
		if err != nil {
			return err
		}
		if end != v.packed {
			offset, found = min(end, v.packed), true
			return nil
		}
		alone := v.s.db.NewIteratorCF(v.read, v.s.family(cfEntries))
		defer alone.Close()
		if alone.SeekToFirst(); !alone.Valid() {
			return alone.Err()
		}
		key := alone.Key()
		defer key.Free()
		offset, err = parseOffsetKey(key.Data())
		found = offset < end
		return err
	})
	return offset, found, err
}

// blocksEnd is the offset behind the last block, 0 if there is none.
func (s *store) blocksEnd(ro *grocksdb.ReadOptions) (uint64, error) {
	it := s.db.NewIteratorCF(ro, s.family(cfLinks))
	defer it.Close()
	if it.SeekToLast(); !it.Valid() {
		return 0, it.Err()
	}
	return linksEnd(it)
}

// linksEnd is the offset behind the block at an iterator's place.
func linksEnd(links *grocksdb.Iterator) (uint64, error) {
	key, value := links.Key(), links.Value()
	defer key.Free()
	defer value.Free()
	first, err := parseOffsetKey(key.Data())
	return first + uint64(value.Size()/chain.Size), err
}

// apart says whether the block before the one at an offset ends before it.
func (s *store) apart(ro *grocksdb.ReadOptions, first uint64) error {
	if first == 0 {
		return nil
	}
	it := s.db.NewIteratorCF(ro, s.family(cfLinks))
	defer it.Close()
	if it.SeekForPrev(offsetKey(first - 1)); !it.Valid() {
		return blockError(first, it.Err())
	}
	end, err := linksEnd(it)
	if err == nil && end > first {
		err = &TwiceError{first}
	}
	return err
}

// TwiceError says that entries are in two blocks. It is an ErrDamaged.
type TwiceError struct {
	// Offset is the first that is.
	Offset uint64
}

func (e *TwiceError) Error() string {
	return fmt.Sprintf("read entries from %d on: %v: they are in two blocks", e.Offset, ErrDamaged)
}

// Unwrap returns ErrDamaged.
func (e *TwiceError) Unwrap() error { return ErrDamaged }

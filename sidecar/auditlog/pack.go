package auditlog

import (
	"fmt"

	"github.com/linxGnu/grocksdb"
)

var keyPacked = []byte("packed")

// packBytes bounds one write of packed blocks, in octets.
const packBytes = 4 << 20

// packWindow moves the entries of a sealed window into blocks. Each write moves
// some, all or none of them; it is not synced: what a crash takes stands where it
// stood before. It goes on where an earlier call ended.
func packWindow(s *store, w *window) error {
	from, err := readPacked(s, s.read)
	if err != nil {
		return err
	}
	for next := max(from, w.first); next <= w.last; {
		p := newPacker(s, next)
		err := s.scan(s.read, next, func(e Entry) (bool, error) {
			if e.Offset != p.next {
				return false, fmt.Errorf("%w: entry %d is missing", ErrDamaged, p.next)
			}
			p.add(e)
			return e.Offset < w.last && p.size < packBytes, nil
		})
		if err == nil && p.next == next {
			err = fmt.Errorf("%w: entry %d is missing", ErrDamaged, next)
		}
		if err == nil {
			err = p.write()
		}
		p.rocks.Destroy()
		if err != nil {
			return fmt.Errorf("pack entries from %d on: %w", next, err)
		}
		next = p.next
	}
	return nil
}

// packer gathers blocks for one write.
type packer struct {
	s     *store
	rocks *grocksdb.WriteBatch
	first uint64
	next  uint64
	size  int // octets of raw bytes in rocks and block
	block *block
	bytes int // octets of raw bytes in block
}

func newPacker(s *store, first uint64) *packer {
	return &packer{s: s, rocks: grocksdb.NewWriteBatch(), first: first, next: first, block: &block{}}
}

func (p *packer) add(e Entry) {
	if !p.block.add(e, p.bytes) {
		p.end()
		p.block.add(e, 0)
	}
	p.bytes += len(e.Raw)
	p.size += len(e.Raw)
	p.next = e.Offset + 1
}

// end puts the block into the batch.
func (p *packer) end() {
	if p.block.count() == 0 {
		return
	}
	key := offsetKey(p.block.first)
	p.rocks.PutCF(p.s.family(cfPacked), key, p.block.encodeRaws())
	p.rocks.PutCF(p.s.family(cfLinks), key, p.block.hashes)
	p.block, p.bytes = &block{}, 0
}

// write stores the blocks, and removes the entries that are in them now.
func (p *packer) write() error {
	p.end()
	p.rocks.DeleteRangeCF(p.s.family(cfEntries), offsetKey(p.first), offsetKey(p.next))
	p.rocks.PutCF(p.s.family(cfState), keyPacked, offsetKey(p.next))
	return p.s.writeLazy(p.rocks)
}

// readPacked returns the first offset that is not in a block.
func readPacked(s *store, ro *grocksdb.ReadOptions) (uint64, error) {
	v, err := s.get(ro, cfState, keyPacked)
	if err != nil || v == nil {
		return 0, err
	}
	if len(v) != 8 {
		return 0, fmt.Errorf("read how far entries are packed: %w: %d bytes, want 8", ErrDamaged, len(v))
	}
	return parseOffsetKey(v)
}

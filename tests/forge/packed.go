package forge

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/linxGnu/grocksdb"

	"verbatim/sidecar/chain"
)

// ErrNotStored says that what is to be changed is not on the disk. An entry in a block has no
// event hash of its own there.
var ErrNotStored = errors.New("not stored")

// packed is a block of entries as it is stored: two values.
type packed struct {
	key, hashes []byte
	raws        [][]byte
}

func (p *packed) first() uint64 { return binary.BigEndian.Uint64(p.key) }

// value is the entry at an index as it would be stored alone.
func (p *packed) value(i int) []byte {
	event := chain.EventHash(p.raws[i])
	v := append(append([]byte(nil), event[:]...), p.hashes[i*chain.Size:(i+1)*chain.Size]...)
	return append(v, p.raws[i]...)
}

// put stores the block.
func (p *packed) put(d *disk, b *grocksdb.WriteBatch) {
	v := binary.AppendUvarint(nil, uint64(len(p.raws)))
	for _, r := range p.raws {
		v = binary.AppendUvarint(v, uint64(len(r)))
	}
	for _, r := range p.raws {
		v = append(v, r...)
	}
	b.PutCF(d.family("packed"), p.key, v)
	b.PutCF(d.family("links"), p.key, p.hashes)
}

func (d *disk) blocks() ([]*packed, error) {
	list, err := d.stored("packed")
	if err != nil {
		return nil, err
	}
	blocks := make([]*packed, 0, len(list))
	for _, r := range list {
		p := &packed{key: r.Key}
		if p.hashes, err = d.get("links", r.Key); err != nil {
			return nil, err
		}
		count, n := binary.Uvarint(r.Value)
		rest := r.Value[n:]
		lengths := make([]uint64, count)
		for i := range lengths {
			lengths[i], n = binary.Uvarint(rest)
			rest = rest[n:]
		}
		for _, l := range lengths {
			p.raws = append(p.raws, rest[:l:l])
			rest = rest[l:]
		}
		blocks = append(blocks, p)
	}
	return blocks, nil
}

// find returns the block with an offset, nil if it stands alone.
func (d *disk) find(offset uint64) (*packed, int, error) {
	blocks, err := d.blocks()
	if err != nil {
		return nil, 0, err
	}
	for _, p := range blocks {
		if first := p.first(); offset >= first && offset-first < uint64(len(p.raws)) {
			return p, int(offset - first), nil
		}
	}
	return nil, 0, nil
}

// editPacked changes an entry of a block.
func (d *disk) editPacked(p *packed, i int, edit func([]byte)) error {
	v := p.value(i)
	event := chain.Hash(v[EventHashAt:PrevEntryHashAt])
	edit(v)
	if forged := chain.Hash(v[EventHashAt:PrevEntryHashAt]); forged != event && forged != chain.EventHash(v[RawAt:]) {
		return fmt.Errorf("forge the event hash of an entry in a block: %w", ErrNotStored)
	}
	copy(p.hashes[i*chain.Size:], v[PrevEntryHashAt:RawAt])
	p.raws[i] = v[RawAt:]
	b := grocksdb.NewWriteBatch()
	defer b.Destroy()
	p.put(d, b)
	return d.db.Write(d.write, b)
}

// removePacked removes an entry from a block: what is left of it becomes two.
func (d *disk) removePacked(p *packed, i int) error {
	b := grocksdb.NewWriteBatch()
	defer b.Destroy()
	b.DeleteCF(d.family("packed"), p.key)
	b.DeleteCF(d.family("links"), p.key)
	if i > 0 {
		(&packed{key: p.key, hashes: p.hashes[:i*chain.Size], raws: p.raws[:i]}).put(d, b)
	}
	if i+1 < len(p.raws) {
		(&packed{key: key(p.first() + uint64(i) + 1), hashes: p.hashes[(i+1)*chain.Size:], raws: p.raws[i+1:]}).put(d, b)
	}
	return d.db.Write(d.write, b)
}

// Unpack puts every entry where it stood before its window was sealed, alone and with
// its event hash, and removes the indexes, which are built again. It changes nothing
// that a reader is told.
func Unpack(dir string) error {
	d, err := open(dir)
	if err != nil {
		return err
	}
	defer d.close()
	b := grocksdb.NewWriteBatch()
	defer b.Destroy()
	blocks, err := d.blocks()
	if err != nil {
		return err
	}
	for _, p := range blocks {
		for i := range p.raws {
			b.PutCF(d.family("entries"), key(p.first()+uint64(i)), p.value(i))
		}
	}
	if err := d.forgetIndex(b); err != nil {
		return err
	}
	if err := d.db.Write(d.write, b); err != nil {
		return fmt.Errorf("write unpacked log: %w", err)
	}
	return nil
}

// values are all entries as they would be stored alone, in order.
func (d *disk) values() ([][]byte, error) {
	blocks, err := d.blocks()
	if err != nil {
		return nil, err
	}
	var values [][]byte
	for _, p := range blocks {
		for i := range p.raws {
			values = append(values, p.value(i))
		}
	}
	alone, err := d.stored("entries")
	if err != nil {
		return nil, err
	}
	for _, r := range alone {
		values = append(values, r.Value)
	}
	return values, nil
}

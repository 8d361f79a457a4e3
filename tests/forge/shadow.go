package forge

import (
	"fmt"

	"github.com/linxGnu/grocksdb"

	"verbatim/sidecar/chain"
)

// Values are all entries as they would be stored alone, in order: event hash, previous
// entry hash, raw bytes.
func Values(dir string) ([][]byte, error) {
	d, err := open(dir)
	if err != nil {
		return nil, err
	}
	defer d.close()
	return d.values()
}

// Replace puts entries, as Values gives them, in place of those from an offset on, and
// has the last of them be the newest. No hash is computed again but the tip's.
func Replace(dir string, offset uint64, values [][]byte) error {
	if err := Unpack(dir); err != nil {
		return err
	}
	return change(dir, func(d *disk) error {
		b := grocksdb.NewWriteBatch()
		defer b.Destroy()
		b.DeleteRangeCF(d.family("entries"), key(offset), key(^uint64(0)))
		var tip chain.Hash
		for i, v := range values {
			b.PutCF(d.family("entries"), key(offset+uint64(i)), v)
			tip = chain.EntryHash(chain.Hash(v[PrevEntryHashAt:RawAt]), offset+uint64(i), v[RawAt:])
		}
		b.PutCF(d.family("state"), []byte("tip"), append(key(offset+uint64(len(values))-1), tip[:]...))
		return d.db.Write(d.write, b)
	})
}

// Shadow stores an entry of a block a second time, alone, with an event that edit
// changed, and says that blocks end before it. Who reads all entries in order meets the
// first, who looks the entry up the second.
func Shadow(dir string, offset uint64, edit func(raw []byte)) error {
	return change(dir, func(d *disk) error {
		p, i, err := d.find(offset)
		if err != nil || p == nil {
			return fmt.Errorf("shadow entry %d: %w, %w", offset, ErrNotStored, err)
		}
		b := grocksdb.NewWriteBatch()
		defer b.Destroy()
		b.PutCF(d.family("entries"), key(offset), p.edited(i, edit))
		b.PutCF(d.family("state"), []byte("packed"), key(offset))
		return d.db.Write(d.write, b)
	})
}

// ShadowBlock stores the end of a block a second time, from an offset on, with the
// first event changed.
func ShadowBlock(dir string, offset uint64, edit func(raw []byte)) error {
	return change(dir, func(d *disk) error {
		p, i, err := d.find(offset)
		if err != nil || p == nil || i == 0 {
			return fmt.Errorf("shadow block at %d: %w, %w", offset, ErrNotStored, err)
		}
		b := grocksdb.NewWriteBatch()
		defer b.Destroy()
		raws := append([][]byte{p.edited(i, edit)[RawAt:]}, p.raws[i+1:]...)
		(&packed{key: key(offset), hashes: p.hashes[i*chain.Size:], raws: raws}).put(d, b)
		return d.db.Write(d.write, b)
	})
}

// edited is an entry as it would be stored alone, its event changed and its event hash
// with it.
func (p *packed) edited(i int, edit func(raw []byte)) []byte {
	v := p.value(i)
	edit(v[RawAt:])
	event := chain.EventHash(v[RawAt:])
	copy(v[EventHashAt:], event[:])
	return v
}

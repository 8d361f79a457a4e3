package forge

import (
	"fmt"

	"github.com/linxGnu/grocksdb"
)

// Record is a key of a column family and its value.
type Record struct{ Key, Value []byte }

// Stored returns all that a column family holds, in the order of its keys.
func Stored(dir, family string) ([]Record, error) {
	d, err := open(dir)
	if err != nil {
		return nil, err
	}
	defer d.close()
	return d.stored(family)
}

// Put stores a value in a column family, over the one that is there.
func Put(dir, family string, key, value []byte) error {
	return change(dir, func(d *disk) error { return d.db.PutCF(d.write, d.family(family), key, value) })
}

// Delete removes a key of a column family.
func Delete(dir, family string, key []byte) error {
	return change(dir, func(d *disk) error { return d.db.DeleteCF(d.write, d.family(family), key) })
}

func change(dir string, f func(*disk) error) error {
	d, err := open(dir)
	if err != nil {
		return err
	}
	defer d.close()
	if err := f(d); err != nil {
		return fmt.Errorf("write forged record: %w", err)
	}
	return nil
}

func (d *disk) stored(family string) ([]Record, error) {
	it := d.db.NewIteratorCF(d.read, d.family(family))
	defer it.Close()
	var list []Record
	for it.SeekToFirst(); it.Valid(); it.Next() {
		k, v := it.Key(), it.Value()
		list = append(list, Record{Key: append([]byte(nil), k.Data()...), Value: append([]byte(nil), v.Data()...)})
		k.Free()
		v.Free()
	}
	if err := it.Err(); err != nil {
		return nil, fmt.Errorf("read to forge: %w", err)
	}
	return list, nil
}

// forgetIndex removes what is built again from the entries when it is missing, the
// blocks of entries among it: all of them have to be in the family entries.
func (d *disk) forgetIndex(b *grocksdb.WriteBatch) error {
	for _, family := range []string{"packed", "links", "tree", "terms", "times"} {
		list, err := d.stored(family)
		if err != nil {
			return err
		}
		for _, r := range list {
			b.DeleteCF(d.family(family), r.Key)
		}
	}
	b.DeleteCF(d.family("state"), []byte("indexed"))
	b.DeleteCF(d.family("state"), []byte("packed"))
	return nil
}

// Package forge makes dishonest logs from honest ones, for the tests and the
// demo. It works on RocksDB directly, as somebody would who owns the disk, and
// uses nothing of the log but its hashing and its messages.
//
// The log must not be open. It is changed in place: forge a copy.
package forge

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"github.com/linxGnu/grocksdb"

	"verbatim/sidecar/chain"
)

// Where a field begins in a stored entry.
const (
	EventHashAt     = 0
	PrevEntryHashAt = chain.Size
	RawAt           = 2 * chain.Size
)

// disk is an opened RocksDB of a log.
type disk struct {
	db      *grocksdb.DB
	names   []string
	handles grocksdb.ColumnFamilyHandles
	opts    *grocksdb.Options
	read    *grocksdb.ReadOptions
	write   *grocksdb.WriteOptions
}

// Copy copies a closed log.
func Copy(from, to string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return fmt.Errorf("copy log: %w", err)
	}
	return nil
}

func open(dir string) (*disk, error) {
	path := filepath.Join(dir, "db")
	d := &disk{opts: grocksdb.NewDefaultOptions()}
	d.opts.SetCompression(grocksdb.ZSTDCompression)
	var err error
	if d.names, err = grocksdb.ListColumnFamilies(d.opts, path); err != nil {
		return nil, fmt.Errorf("open log to forge: %w", err)
	}
	each := make([]*grocksdb.Options, len(d.names))
	for i := range each {
		each[i] = d.opts
	}
	if d.db, d.handles, err = grocksdb.OpenDbColumnFamilies(d.opts, path, d.names, each); err != nil {
		return nil, fmt.Errorf("open log to forge: %w", err)
	}
	d.read, d.write = grocksdb.NewDefaultReadOptions(), grocksdb.NewDefaultWriteOptions()
	d.write.SetSync(true)
	return d, nil
}

func (d *disk) close() {
	for _, h := range d.handles {
		h.Destroy()
	}
	d.db.Close()
	d.read.Destroy()
	d.write.Destroy()
	d.opts.Destroy()
}

func (d *disk) family(name string) *grocksdb.ColumnFamilyHandle {
	for i, n := range d.names {
		if n == name {
			return d.handles[i]
		}
	}
	panic("no column family " + name)
}

func key(offset uint64) []byte { return binary.BigEndian.AppendUint64(nil, offset) }

func (d *disk) get(family string, k []byte) ([]byte, error) {
	v, err := d.db.GetCF(d.read, d.family(family), k)
	if err != nil {
		return nil, fmt.Errorf("read to forge: %w", err)
	}
	defer v.Free()
	if !v.Exists() {
		return nil, fmt.Errorf("read to forge: no %s %x", family, k)
	}
	return append([]byte(nil), v.Data()...), nil
}

// EditValue changes an entry as it is stored, and nothing else.
func EditValue(dir string, offset uint64, edit func(value []byte)) error {
	d, err := open(dir)
	if err != nil {
		return err
	}
	defer d.close()
	p, i, err := d.find(offset)
	if err != nil {
		return err
	}
	if p != nil {
		return d.editPacked(p, i, edit)
	}
	v, err := d.get("entries", key(offset))
	if err != nil {
		return err
	}
	edit(v)
	if err := d.db.PutCF(d.write, d.family("entries"), key(offset), v); err != nil {
		return fmt.Errorf("write forged entry %d: %w", offset, err)
	}
	return nil
}

// FlipBit flips the lowest bit of one byte of a stored entry.
func FlipBit(dir string, offset uint64, at int) error {
	return EditValue(dir, offset, func(v []byte) { v[at] ^= 1 })
}

// Remove deletes one entry and leaves the hole.
func Remove(dir string, offset uint64) error {
	d, err := open(dir)
	if err != nil {
		return err
	}
	defer d.close()
	p, i, err := d.find(offset)
	if err != nil {
		return err
	}
	if p != nil {
		return d.removePacked(p, i)
	}
	if err := d.db.DeleteCF(d.write, d.family("entries"), key(offset)); err != nil {
		return fmt.Errorf("remove entry %d: %w", offset, err)
	}
	return nil
}

package auditlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// RocksDB reads one block of a table file before it looks at the block's checksum,
// the one with the table's properties, and Debian's build aborts the process when
// that block's last bit says that it has a hash index and it has none. So the bit is
// looked at first. All else in a table RocksDB finds wrong by itself.

// Of a table file: the footer's length, what it ends with, and where in it its own
// version is and the places of two blocks begin.
const (
	footerBytes   = 53
	footerMagic   = 0x88e241b785f4cff7
	footerMagicAt = footerBytes - 8
	footerHandles = 1
)

const (
	tableProperties = "rocksdb.properties"
	hashIndexBit    = 1 << 7 // of the last byte
	// maxTableBlock bounds what is read of a file that may be damaged, in octets.
	maxTableBlock = 1 << 20
)

// errOtherTable: not a table that is understood here. RocksDB has to say what it is.
var errOtherTable = errors.New("not a whole table")

// checkTables fails with ErrDamaged if RocksDB can't be given the log's tables.
func checkTables(dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, dbDir, "*.sst"))
	if err != nil {
		return fmt.Errorf("open log %s: %w", dir, err)
	}
	buffer := make([]byte, tableEndBytes)
	for _, path := range paths {
		_, hashed, err := propertiesHashed(path, buffer)
		if err == nil && hashed {
			return fmt.Errorf("open log %s: %w: the properties of its table %s are broken; restore it from a backup, nothing was changed",
				dir, ErrDamaged, filepath.Base(path))
		}
	}
	return nil
}

// propertiesHashed says whether a table's properties are said to have a hash index,
// and where the byte is that says so. It reads into a buffer of tableEndBytes.
func propertiesHashed(path string, buffer []byte) (at int64, hashed bool, err error) {
	end, err := openTableEnd(path, buffer)
	if err != nil {
		return 0, false, err
	}
	defer end.close()
	footer := end.bytes[len(end.bytes)-footerBytes:]
	if binary.LittleEndian.Uint64(footer[footerMagicAt:]) != footerMagic {
		return 0, false, errOtherTable
	}
	index, err := end.block(footer[footerHandles:])
	if err != nil {
		return 0, false, err
	}
	handle, err := blockValue(index, tableProperties)
	if err != nil {
		return 0, false, err
	}
	properties, err := end.block(handle)
	if err != nil || len(properties) < 4 {
		return 0, false, errOtherTable
	}
	offset, _ := binary.Uvarint(handle)
	last := len(properties) - 1 // of four bytes, the least significant first
	return int64(offset) + int64(last), properties[last]&hashIndexBit != 0, nil
}

// clearHashIndexBits takes the bit back in the tables of a copy. If more than that is
// wrong with the properties RocksDB finds it, by their checksum.
func clearHashIndexBits(dir string) error {
	paths, err := filepath.Glob(filepath.Join(dir, dbDir, "*.sst"))
	if err != nil {
		return fmt.Errorf("read copy %s: %w", dir, err)
	}
	buffer := make([]byte, tableEndBytes)
	for _, path := range paths {
		at, hashed, err := propertiesHashed(path, buffer)
		if err != nil || !hashed {
			continue // RocksDB says what it is
		}
		if err := clearBit(path, at); err != nil {
			return fmt.Errorf("repair copy of table: %w", err)
		}
	}
	return nil
}

// tableEnd reads a table whose last octets are read already: what is looked for
// mostly stands there. It goes without an os.File, as a log can have hundreds of tables,
// and all are looked into when it is opened.
type tableEnd struct {
	file  int
	from  int64
	bytes []byte
}

const tableEndBytes = 4 << 10

// openTableEnd needs at least a footer, and keeps the buffer of tableEndBytes.
func openTableEnd(path string, buffer []byte) (*tableEnd, error) {
	file, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	end := &tableEnd{file: file}
	var info unix.Stat_t
	if err := unix.Fstat(file, &info); err != nil || info.Size < footerBytes {
		end.close()
		return nil, errOtherTable
	}
	end.from = max(0, info.Size-tableEndBytes)
	end.bytes = buffer[:info.Size-end.from]
	if err := end.readAt(end.bytes, end.from); err != nil {
		end.close()
		return nil, err
	}
	return end, nil
}

func (t *tableEnd) close() { _ = unix.Close(t.file) }

func (t *tableEnd) readAt(b []byte, offset int64) error {
	n, err := unix.Pread(t.file, b, offset)
	if err == nil && n < len(b) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// block is the block whose place, offset and length, a handle begins with. It may be
// part of what was read already.
func (t *tableEnd) block(handle []byte) ([]byte, error) {
	offset, n := binary.Uvarint(handle)
	if n <= 0 {
		return nil, errOtherTable
	}
	size, m := binary.Uvarint(handle[n:])
	if m <= 0 || size > maxTableBlock || offset > 1<<62 {
		return nil, errOtherTable
	}
	if at := int64(offset) - t.from; at >= 0 && at+int64(size) <= int64(len(t.bytes)) {
		return t.bytes[at : at+int64(size)], nil
	}
	block := make([]byte, size)
	if err := t.readAt(block, int64(offset)); err != nil {
		return nil, errOtherTable
	}
	return block, nil
}

func clearBit(path string, at int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	b := make([]byte, 1)
	if _, err = f.ReadAt(b, at); err == nil {
		b[0] &^= hashIndexBit
		_, err = f.WriteAt(b, at)
	}
	return errors.Join(err, f.Close())
}

// blockValue finds a key in a small block: entries of how many octets of the key
// before are shared, how many are not, the value's length, the rest of the key, and the
// value.
func blockValue(block []byte, key string) ([]byte, error) {
	var at []byte
	for len(block) > 0 {
		var numbers [3]uint64
		for i := range numbers {
			v, n := binary.Uvarint(block)
			if n <= 0 {
				return nil, errOtherTable
			}
			numbers[i], block = v, block[n:]
		}
		shared, rest, size := numbers[0], numbers[1], numbers[2]
		left := uint64(len(block))
		if shared > uint64(len(at)) || rest > left || size > left-rest {
			return nil, errOtherTable
		}
		at = append(at[:shared:shared], block[:rest]...)
		if string(at) == key {
			return block[rest : rest+size], nil
		}
		block = block[rest+size:]
	}
	return nil, errOtherTable
}

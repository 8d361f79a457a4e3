package auditlog

/*
#cgo LDFLAGS: -lrocksdb
#include <stdint.h>
#include <string.h>
#include "rocksdb/c.h"

// copy_pairs copies the pairs from an iterator's place on into room: of each the key's
// and the value's length, as 32 bits in the machine's order, the key and the value. It
// takes no more than most, and leaves the iterator at the first that it did not take,
// which needs as many octets as *wanted says.
static int copy_pairs(rocksdb_iterator_t* it, char* room, size_t size, int most, size_t* used, size_t* wanted) {
	int n = 0;
	size_t at = 0;
	*wanted = 0;
	for (; n < most && rocksdb_iter_valid(it); n++) {
		size_t key_size, value_size;
		const char* key = rocksdb_iter_key(it, &key_size);
		const char* value = rocksdb_iter_value(it, &value_size);
		size_t wants = 2 * sizeof(uint32_t) + key_size + value_size;
		if (wants > size - at) {
			*wanted = wants;
			break;
		}
		uint32_t sizes[2] = {(uint32_t)key_size, (uint32_t)value_size};
		memcpy(room + at, sizes, sizeof sizes);
		memcpy(room + at + sizeof sizes, key, key_size);
		memcpy(room + at + sizeof sizes + key_size, value, value_size);
		at += wants;
		rocksdb_iter_next(it);
	}
	*used = at;
	return n;
}
*/
import "C"

import (
	"encoding/binary"
	"unsafe"

	"github.com/linxGnu/grocksdb"
)

// pairs are keys and values that were copied from an iterator together: four calls of
// C for each are as much work as all else that a verification does with a list. It is
// not safe for use by several goroutines.
type pairs struct {
	room []byte
	rest []byte // of the room, what was not given yet
}

// pairsBytes is the room for pairs, in octets; it grows for one that needs more.
const pairsBytes = 32 << 10

// read copies up to so many pairs from the iterator's place on, and moves it behind
// them. They take the place of what was left. It says how many there are: 0 at the end,
// or where the iterator has an error.
func (p *pairs) read(it *grocksdb.Iterator, most int) int {
	if p.room == nil {
		p.room = make([]byte, pairsBytes)
	}
	for {
		var used, wanted C.size_t
		n := C.copy_pairs(nativeIterator(it), (*C.char)(unsafe.Pointer(&p.room[0])), C.size_t(len(p.room)), C.int(most), &used, &wanted)
		if n > 0 || wanted == 0 {
			p.rest = p.room[:used]
			return int(n)
		}
		p.room = make([]byte, wanted)
	}
}

// next gives a pair; false if there is none. The slices are good until the next read.
func (p *pairs) next() (key, value []byte, some bool) {
	if len(p.rest) == 0 {
		return nil, nil, false
	}
	keySize, valueSize := binary.NativeEndian.Uint32(p.rest), binary.NativeEndian.Uint32(p.rest[4:])
	key, rest := p.rest[8:8+keySize], p.rest[8+keySize:]
	value, p.rest = rest[:valueSize], rest[valueSize:]
	return key, value, true
}

// nativeIterator is RocksDB's iterator, which is all that grocksdb's holds.
func nativeIterator(it *grocksdb.Iterator) *C.rocksdb_iterator_t {
	return *(**C.rocksdb_iterator_t)(unsafe.Pointer(it))
}

var _ [unsafe.Sizeof(uintptr(0))]byte = [unsafe.Sizeof(grocksdb.Iterator{})]byte{}

package auditlog

import (
	"fmt"

	"github.com/linxGnu/grocksdb"

	"verbatim/sidecar/chain"
)

// prevHashes reads the previous entry hashes of the entries from..to, both
// inclusive, and no raw bytes of packed entries.
func (s *store) prevHashes(ro *grocksdb.ReadOptions, from, to uint64) ([]chain.Hash, error) {
	// In the order of scan, and for the same reason.
	alone := s.db.NewIteratorCF(ro, s.family(cfEntries))
	defer alone.Close()
	hashes, err := s.packedHashes(ro, from, to)
	if err != nil {
		return nil, err
	}
	next := from + uint64(len(hashes))
	if next > to {
		return hashes, nil // what is behind does not matter, even if it can't be read
	}
	for alone.Seek(offsetKey(next)); alone.Valid() && next <= to; alone.Next() {
		key, value := alone.Key(), alone.Value()
		offset, err := parseOffsetKey(key.Data())
		if err == nil && (offset != next || value.Size() < entryHead) {
			err = fmt.Errorf("read entry %d: %w: it is missing or too short", next, ErrDamaged)
		}
		if err == nil {
			hashes = append(hashes, chain.Hash(value.Data()[chain.Size:entryHead]))
		}
		key.Free()
		value.Free()
		if err != nil {
			return nil, err
		}
		next++
	}
	if err := blockError(next, alone.Err()); err != nil {
		return nil, err
	}
	if next <= to {
		return nil, fmt.Errorf("read entry %d: %w: it is missing", next, ErrDamaged)
	}
	return hashes, nil
}

// packedHashes reads those that are in blocks, without a hole from the first on.
func (s *store) packedHashes(ro *grocksdb.ReadOptions, from, to uint64) ([]chain.Hash, error) {
	it := s.db.NewIteratorCF(ro, s.family(cfLinks))
	defer it.Close()
	var hashes []chain.Hash
	next := from
	for it.SeekForPrev(offsetKey(from)); it.Valid() && next <= to; it.Next() {
		key, value := it.Key(), it.Value()
		first, err := parseOffsetKey(key.Data())
		if err == nil && value.Size()%chain.Size != 0 {
			err = fmt.Errorf("read links from %d on: %w: %d bytes", first, ErrDamaged, value.Size())
		}
		end := first + uint64(value.Size())/chain.Size
		for ; err == nil && first <= next && next < end && next <= to; next++ {
			hashes = append(hashes, chain.Hash(value.Data()[(next-first)*chain.Size:]))
		}
		key.Free()
		value.Free()
		if err != nil || end < next || first > next {
			return hashes, err
		}
	}
	return hashes, blockError(next, it.Err())
}

// entryHashes reads the entry hashes of from..to, both inclusive; tip is the newest
// entry, whose hash no entry names.
func (s *store) entryHashes(ro *grocksdb.ReadOptions, from, to uint64, tip Tip) ([]chain.Hash, error) {
	if to < tip.Offset {
		return s.prevHashes(ro, from+1, to+1)
	}
	if from == tip.Offset {
		return []chain.Hash{tip.Hash}, nil
	}
	hashes, err := s.prevHashes(ro, from+1, tip.Offset)
	return append(hashes, tip.Hash), err
}

package auditlog

import (
	"bytes"

	"verbatim/sidecar/chain"
)

// StoredReader compares what a view has stored beside the entries with what has to be
// stored. What is asked for in ascending order is read so: a look-up for each costs ten
// times as much. It is not safe for use by several goroutines. It has to be closed.
type StoredReader struct {
	v                  *View
	checkpoints, times storedPlace
	nodes              [64]storedPlace // by level
}

// StoredReader returns a reader of what is stored beside the entries.
func (v *View) StoredReader() *StoredReader { return &StoredReader{v: v} }

// Close releases what the reader holds.
func (r *StoredReader) Close() {
	// A store that was closed has closed its iterators.
	_ = r.v.access.with(r.v.s, func() error {
		r.checkpoints.close()
		r.times.close()
		for level := range r.nodes {
			r.nodes[level].close()
		}
		return nil
	})
}

// Checkpoint says whether a checkpoint is recorded, and recorded right: with its offset
// and the Merkle nodes of the entries before it.
func (r *StoredReader) Checkpoint(id, offset uint64, nodes [][]byte) (found, equal bool, err error) {
	return r.compare(&r.checkpoints, cfCheckpoints, offsetKey(id), checkpointRecord(offset, nodes))
}

// Time says whether the time index has a window, and has it right: at the clock of its
// first entry, with its first and last offset.
func (r *StoredReader) Time(window, firstMS, first, last uint64) (found, equal bool, err error) {
	return r.compare(&r.times, cfTimes, timeKey(firstMS, window), encodePair(first, last))
}

// Node says whether a Merkle node is stored, and stored right. Those of complete
// subtrees from level StoredLevel on are, once their windows are indexed.
func (r *StoredReader) Node(id chain.NodeID, hash chain.Hash) (found, equal bool, err error) {
	return r.compare(&r.nodes[id.Level], cfTree, treeKey(id), hash[:])
}

func (r *StoredReader) compare(p *storedPlace, cf string, key, want []byte) (found, equal bool, err error) {
	err = r.v.access.with(r.v.s, func() error {
		if p.it == nil {
			p.it = r.v.s.newIterator(r.v.look, cf)
		}
		if found = p.find(key); found {
			value := p.it.Value()
			equal = bytes.Equal(value.Data(), want)
			value.Free()
		}
		return p.it.Err()
	})
	return found, equal, err
}

// storedPlace is where the reader stands in one order of keys.
type storedPlace struct {
	it   *storeIterator
	last []byte // the key that was looked for
}

// find goes to a key, and says whether it is there.
func (p *storedPlace) find(key []byte) bool {
	behind := p.last != nil && bytes.Compare(key, p.last) > 0 && p.it.Valid()
	p.last = append(p.last[:0], key...)
	if !behind {
		p.it.Seek(key)
		return p.at(key) == 0
	}
	// What was looked for before may have been missing: then this may be it already.
	order := p.at(key)
	if order < 0 {
		p.it.Next()
		order = p.at(key)
	}
	if order < 0 {
		p.it.Seek(key)
		order = p.at(key)
	}
	return order == 0
}

// at compares the key at the iterator's place with another; the end is behind all.
func (p *storedPlace) at(key []byte) int {
	if !p.it.Valid() {
		return 1
	}
	k := p.it.Key()
	defer k.Free()
	return bytes.Compare(k.Data(), key)
}

func (p *storedPlace) close() {
	if p.it != nil {
		p.it.close()
	}
}

package auditlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"github.com/linxGnu/grocksdb"

	"verbatim/sidecar/chain"
)

var keyCut = []byte("cut")

// Cut is where a log was pruned (docs/LOG-FORMAT.md, "Retention"): the entries up
// to a Checkpoint's offset are gone, but for those that are kept for ever.
type Cut struct {
	// Offset is the Checkpoint's, and Root its entry hash.
	Offset uint64
	Root   chain.Hash
	// PruneOffset is where the Prune entry stands that ordered it.
	PruneOffset uint64
}

func encodeCut(c Cut) []byte {
	return binary.BigEndian.AppendUint64(append(offsetKey(c.Offset), c.Root[:]...), c.PruneOffset)
}

// readCut returns the newest cut; zero: there is none.
func readCut(s *store, ro *grocksdb.ReadOptions) (Cut, error) {
	v, err := s.get(ro, cfState, keyCut)
	if err != nil || v == nil {
		return Cut{}, err
	}
	if len(v) != 8+chain.Size+8 {
		return Cut{}, fmt.Errorf("read where the log was pruned: %w: %d bytes", ErrDamaged, len(v))
	}
	return Cut{
		Offset: binary.BigEndian.Uint64(v), Root: chain.Hash(v[8 : 8+chain.Size]),
		PruneOffset: binary.BigEndian.Uint64(v[8+chain.Size:]),
	}, nil
}

// Cut is where the log was pruned last; false if it never was.
func (v *View) Cut() (Cut, bool) { return v.cut, v.cut != Cut{} }

// First is the first offset that is not pruned: 0, or that of the Checkpoint at
// which the log was cut, whose own entry is kept. All entries from it to the tip
// are there.
func (v *View) First() uint64 { return v.cut.Offset }

// Kept yields the entries before First that are kept for ever, in order: the
// genesis, the starts and the checkpoints. After an error it ends.
func (v *View) Kept(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for next := uint64(0); ; {
			if ctx.Err() != nil {
				yield(Entry{Offset: next}, fmt.Errorf("read kept entries: %w", context.Cause(ctx)))
				return
			}
			chunk, err := v.keptChunk(next)
			for _, e := range chunk {
				if e.Offset >= v.First() {
					return // left by a cut that was not made
				}
				if !yield(e, nil) {
					return
				}
				next = e.Offset + 1
			}
			if err != nil {
				yield(Entry{Offset: next}, err)
				return
			}
			if len(chunk) < chunkEntries {
				return
			}
		}
	}
}

func (v *View) keptChunk(from uint64) (chunk []Entry, err error) {
	err = v.access.with(v.s, func() error {
		it := v.s.db.NewIteratorCF(v.scan, v.s.family(cfKept))
		defer it.Close()
		for it.Seek(offsetKey(from)); it.Valid() && len(chunk) < chunkEntries; it.Next() {
			e, err := entryAt(it)
			if err != nil {
				return err
			}
			chunk = append(chunk, e)
		}
		return blockError(from, it.Err())
	})
	return chunk, err
}

// errCut says why a Prune entry can't be carried out.
var errCut = errors.New("this log can't be cut there")

// Base is the Merkle nodes of the entries before First, from which
// chain.RestoreTree makes their tree; the caller must not change them.
func (v *View) Base() ([][]byte, error) { return v.TreeNodes(v.First()) }

// TreeNodes is the Merkle nodes of the entries before an offset, as Base. Of a part
// that was pruned they are there for each checkpoint's offset.
func (v *View) TreeNodes(size uint64) ([][]byte, error) {
	tree, err := chain.TreeAt(size, v.Node)
	if err != nil {
		return nil, fmt.Errorf("read tree before %d: %w", size, err)
	}
	return tree.Nodes(), nil
}

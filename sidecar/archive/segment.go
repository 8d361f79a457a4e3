package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// segmentTitle begins every segment.
const segmentTitle = "verbatim archive segment 1\n"

// segmentHead is the length of what follows the title: log id, first offset, count
// of entries, bytes of all raw events.
const segmentHead = chain.Size + 3*8

// segmentWriter makes one object out of consecutive entries. It is not safe for use
// by several goroutines.
type segmentWriter struct {
	logID chain.Hash
	first uint64
	count uint64
	raw   uint64
	root  chain.Hash
	links bytes.Buffer
	body  bytes.Buffer
	z     *zstd.Encoder
}

func newSegmentWriter(logID chain.Hash, first uint64) (*segmentWriter, error) {
	w := &segmentWriter{logID: logID, first: first}
	var err error
	w.z, err = newEncoder(&w.body)
	return w, err
}

// add takes the next entry, whose entry hash is root.
func (w *segmentWriter) add(e auditlog.Entry, root chain.Hash) error {
	w.links.Write(e.PrevEntryHash[:])
	size := binary.AppendUvarint(nil, uint64(len(e.Raw)))
	if _, err := w.z.Write(size); err != nil {
		return fmt.Errorf("compress entry %d: %w", e.Offset, err)
	}
	if _, err := w.z.Write(e.Raw); err != nil {
		return fmt.Errorf("compress entry %d: %w", e.Offset, err)
	}
	w.count++
	w.raw += uint64(len(e.Raw))
	w.root = root
	return nil
}

// finish returns the object and what a manifest says of it.
func (w *segmentWriter) finish() (Segment, []byte, error) {
	if err := w.z.Close(); err != nil {
		return Segment{}, nil, fmt.Errorf("compress segment: %w", err)
	}
	b := make([]byte, 0, len(segmentTitle)+segmentHead+w.links.Len()+w.body.Len())
	b = append(b, segmentTitle...)
	b = append(b, w.logID[:]...)
	for _, n := range []uint64{w.first, w.count, w.raw} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = append(append(b, w.links.Bytes()...), w.body.Bytes()...)
	return Segment{
		First: w.first, Last: w.first + w.count - 1, Root: w.root,
		Object: Object{Digest: chain.EventHash(b), Size: uint64(len(b))},
	}, b, nil
}

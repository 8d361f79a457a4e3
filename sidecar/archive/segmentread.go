package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// segmentReader reads a segment's entries in order. It checks the form, not the
// links.
type segmentReader struct {
	logID chain.Hash
	first uint64
	count uint64
	raw   uint64 // bytes of raw events that are still to come
	links []byte // of the entries that are still to come
	next  uint64
	z     interface{ Close() }
	body  *bufio.Reader
}

// openSegment reads a segment's head. The bytes stay the reader's until close.
func openSegment(b []byte) (*segmentReader, error) {
	rest, ok := bytes.CutPrefix(b, []byte(segmentTitle))
	if !ok {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrVersion, segmentTitle)
	}
	if len(rest) < segmentHead {
		return nil, errors.New("it ends in its head")
	}
	r := &segmentReader{logID: chain.Hash(rest[:chain.Size])}
	numbers := rest[chain.Size:segmentHead]
	r.first, r.count, r.raw = binary.BigEndian.Uint64(numbers), binary.BigEndian.Uint64(numbers[8:]), binary.BigEndian.Uint64(numbers[16:])
	r.next, rest = r.first, rest[segmentHead:]
	if r.count == 0 || r.count > uint64(len(rest))/chain.Size || r.first+r.count < r.first {
		return nil, fmt.Errorf("%d entries from %d on can't be in it", r.count, r.first)
	}
	r.links, rest = rest[:r.count*chain.Size], rest[r.count*chain.Size:]
	z, err := newDecoder(rest)
	if err != nil {
		return nil, err
	}
	r.z, r.body = z, bufio.NewReaderSize(z, 64<<10)
	return r, nil
}

func (r *segmentReader) close() { r.z.Close() }

// entry returns the next entry; io.EOF behind the last one. Raw is the caller's.
func (r *segmentReader) entry() (auditlog.Entry, error) {
	if len(r.links) == 0 {
		if r.raw != 0 {
			return auditlog.Entry{}, fmt.Errorf("%d bytes of events are missing", r.raw)
		}
		if err := atEnd(r.body); err != nil {
			return auditlog.Entry{}, err
		}
		return auditlog.Entry{}, io.EOF
	}
	size, err := binary.ReadUvarint(r.body)
	if err != nil {
		return auditlog.Entry{}, fmt.Errorf("entry %d: %w", r.next, noEOF(err))
	}
	if size > r.raw {
		return auditlog.Entry{}, fmt.Errorf("entry %d: %d bytes are more than there are", r.next, size)
	}
	raw, err := readExactly(r.body, size)
	if err != nil {
		return auditlog.Entry{}, fmt.Errorf("entry %d: %w", r.next, noEOF(err))
	}
	e := auditlog.Entry{Offset: r.next, PrevEntryHash: chain.Hash(r.links[:chain.Size]), Raw: raw}
	r.links, r.raw, r.next = r.links[chain.Size:], r.raw-size, r.next+1
	return e, nil
}

// noEOF makes an end that comes too early no end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

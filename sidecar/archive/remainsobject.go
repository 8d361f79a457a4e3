package archive

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/klauspost/compress/zstd"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// remainsTitle begins every object with what stays of a pruned part.
const remainsTitle = "verbatim archive remains 1\n"

// remainsHead is the length of what follows the title: log id, offset of the cut,
// count of entries, count of nodes.
const remainsHead = chain.Size + 3*8

// encode makes the object.
func (r *remains) encode(logID chain.Hash, cut auditlog.Cut) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(remainsTitle)
	out.Write(logID[:])
	for _, n := range []uint64{cut.Offset, uint64(len(r.kept)), uint64(len(r.nodes))} {
		out.Write(binary.BigEndian.AppendUint64(nil, n))
	}
	z, err := newEncoder(&out)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(r.write(z), z.Close()); err != nil {
		return nil, fmt.Errorf("compress remains: %w", err)
	}
	return out.Bytes(), nil
}

func (r *remains) write(z *zstd.Encoder) error {
	for _, e := range r.kept {
		head := append(binary.AppendUvarint(nil, e.Offset), e.PrevEntryHash[:]...)
		if _, err := z.Write(binary.AppendUvarint(head, uint64(len(e.Raw)))); err != nil {
			return err
		}
		if _, err := z.Write(e.Raw); err != nil {
			return err
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(r.nodes), compareNodes) {
		hash := r.nodes[id]
		head := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(id.Level)), id.Index)
		if _, err := z.Write(append(head, hash[:]...)); err != nil {
			return err
		}
	}
	return nil
}

func compareNodes(a, b chain.NodeID) int {
	return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.Index, b.Index))
}

// decodeRemains reads the object of a log that was cut somewhere.
func decodeRemains(b []byte, logID chain.Hash, cut auditlog.Cut) (*remains, error) {
	rest, ok := bytes.CutPrefix(b, []byte(remainsTitle))
	if !ok {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrVersion, remainsTitle)
	}
	if len(rest) < remainsHead {
		return nil, errors.New("it ends in its head")
	}
	numbers := rest[chain.Size:remainsHead]
	at, entries, nodes := binary.BigEndian.Uint64(numbers), binary.BigEndian.Uint64(numbers[8:]), binary.BigEndian.Uint64(numbers[16:])
	if id := chain.Hash(rest[:chain.Size]); id != logID || at != cut.Offset {
		return nil, fmt.Errorf("it is of log %s, cut at %d; the manifest is of log %s, cut at %d", id, at, logID, cut.Offset)
	}
	z, err := newDecoder(rest[remainsHead:])
	if err != nil {
		return nil, err
	}
	defer z.Close()
	body := bufio.NewReader(z)
	r := &remains{nodes: map[chain.NodeID]chain.Hash{}}
	for next := uint64(0); entries > 0; entries-- {
		e, err := readKept(body)
		if err != nil {
			return nil, fmt.Errorf("entry behind %d: %w", next, noEOF(err))
		}
		if e.Offset < next || e.Offset >= cut.Offset {
			return nil, fmt.Errorf("entry %d does not follow", e.Offset)
		}
		next = e.Offset + 1
		r.kept = append(r.kept, e)
	}
	for last := (chain.NodeID{}); nodes > 0; nodes-- {
		id, hash, err := readNode(body)
		if err != nil {
			return nil, fmt.Errorf("node behind %d/%d: %w", last.Level, last.Index, noEOF(err))
		}
		if len(r.nodes) > 0 && compareNodes(last, id) >= 0 || id.Level > 63 || id.Index > cut.Offset>>id.Level {
			return nil, fmt.Errorf("node %d/%d does not follow", id.Level, id.Index)
		}
		last, r.nodes[id] = id, hash
	}
	return r, atEnd(body)
}

func readKept(r *bufio.Reader) (e auditlog.Entry, err error) {
	if e.Offset, err = binary.ReadUvarint(r); err != nil {
		return e, err
	}
	if _, err = io.ReadFull(r, e.PrevEntryHash[:]); err != nil {
		return e, err
	}
	size, err := binary.ReadUvarint(r)
	if err != nil {
		return e, err
	}
	e.Raw, err = readExactly(r, size)
	return e, err
}

func readNode(r *bufio.Reader) (id chain.NodeID, hash chain.Hash, err error) {
	level, err := binary.ReadUvarint(r)
	if err != nil {
		return id, hash, err
	}
	id.Level = uint(level)
	if id.Index, err = binary.ReadUvarint(r); err != nil {
		return id, hash, err
	}
	_, err = io.ReadFull(r, hash[:])
	return id, hash, err
}

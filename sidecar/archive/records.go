package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// recordsTitle begins every object with records.
const recordsTitle = "verbatim archive records 1\n"

// encodeRecords makes one object out of records, which are in the order of their
// keys.
func encodeRecords(logID chain.Hash, list []auditlog.Record) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(recordsTitle)
	out.Write(logID[:])
	out.Write(binary.BigEndian.AppendUint64(nil, uint64(len(list))))
	z, err := newEncoder(&out)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		for _, octets := range [][]byte{r.Key, r.Value} {
			if _, err := z.Write(append(binary.AppendUvarint(nil, uint64(len(octets))), octets...)); err != nil {
				return nil, fmt.Errorf("compress records: %w", err)
			}
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress records: %w", err)
	}
	return out.Bytes(), nil
}

// decodeRecords reads an object with records. They are the caller's.
func decodeRecords(b []byte) (logID chain.Hash, list []auditlog.Record, err error) {
	rest, ok := bytes.CutPrefix(b, []byte(recordsTitle))
	if !ok {
		return logID, nil, fmt.Errorf("%w: it does not begin with %q", ErrVersion, recordsTitle)
	}
	if len(rest) < chain.Size+8 {
		return logID, nil, errors.New("it ends in its head")
	}
	logID = chain.Hash(rest[:chain.Size])
	count := binary.BigEndian.Uint64(rest[chain.Size:])
	z, err := newDecoder(rest[chain.Size+8:])
	if err != nil {
		return logID, nil, err
	}
	defer z.Close()
	body := bufio.NewReader(z)
	for n := range count {
		r, err := readRecord(body)
		if err != nil {
			return logID, nil, fmt.Errorf("record %d: %w", n, noEOF(err))
		}
		if len(r.Key) == 0 || n > 0 && bytes.Compare(list[n-1].Key, r.Key) >= 0 {
			return logID, nil, fmt.Errorf("record %d: its key does not follow", n)
		}
		list = append(list, r)
	}
	return logID, list, atEnd(body)
}

func readRecord(r *bufio.Reader) (auditlog.Record, error) {
	var parts [2][]byte
	for i := range parts {
		size, err := binary.ReadUvarint(r)
		if err != nil {
			return auditlog.Record{}, fmt.Errorf("read length: %w", err)
		}
		if parts[i], err = readExactly(r, size); err != nil {
			return auditlog.Record{}, err
		}
	}
	return auditlog.Record{Key: parts[0], Value: parts[1]}, nil
}

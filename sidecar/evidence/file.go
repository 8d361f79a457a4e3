package evidence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"

	"google.golang.org/protobuf/proto"

	evidencev1 "verbatim/proto/verbatim/evidence/v1"
)

// A file begins with this line; a serialized Evidence follows, and its CRC-32 (IEEE), big
// endian: what was damaged on its way is told from what was forged.
const (
	magic   = "verbatim evidence 1\n"
	anyKind = "verbatim evidence "
)

// MaxFile is more than any file has, in octets: the largest request, its parts, its
// answer, and another answer beside it.
const MaxFile = 256 << 20

// ErrMalformed says that octets are no evidence file.
var ErrMalformed = errors.New("not an evidence file")

// Bytes are the file's octets: the same for the same evidence.
func (f *File) Bytes() []byte { return bytes.Clone(f.raw) }

// encode writes what Parse reads.
func encode(m *evidencev1.Evidence) ([]byte, error) {
	raw, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend([]byte(magic), m)
	if err != nil {
		return nil, fmt.Errorf("encode evidence: %w", err)
	}
	if len(raw) > MaxFile-crc32.Size {
		return nil, fmt.Errorf("encode evidence: %d octets, at most %d are read again", len(raw), MaxFile)
	}
	return seal(raw), nil
}

// seal appends the checksum.
func seal(raw []byte) []byte {
	return binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(raw[len(magic):]))
}

// Parse reads an evidence file: in the one spelling that Bytes writes, with all that
// Check needs. What it says is not checked yet. Errors: ErrMalformed.
func Parse(raw []byte) (*File, error) {
	f, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return f, nil
}

func parse(raw []byte) (*File, error) {
	if len(raw) > MaxFile {
		return nil, fmt.Errorf("it has more than %d octets", MaxFile)
	}
	body, ours := bytes.CutPrefix(raw, []byte(magic))
	if !ours {
		line, _, _ := strings.Cut(string(raw[:min(len(raw), 64)]), "\n")
		switch ours := strings.TrimSpace(magic); {
		case strings.TrimRight(line, "\r") == ours:
			return nil, errors.New("it was cut off, or its line ends were changed on its way")
		case strings.HasPrefix(line, anyKind):
			return nil, fmt.Errorf("it says %q, and this version reads %q: use a newer verbatim", line, ours)
		}
		return nil, fmt.Errorf("it does not begin with %q", strings.TrimSpace(magic))
	}
	if len(body) < crc32.Size {
		return nil, errors.New("it is cut off")
	}
	body, sum := body[:len(body)-crc32.Size], binary.BigEndian.Uint32(body[len(body)-crc32.Size:])
	if crc32.ChecksumIEEE(body) != sum {
		return nil, errors.New("it was cut off, or damaged on its way: its checksum does not fit")
	}
	m := &evidencev1.Evidence{}
	if err := canonical(body, m.ProtoReflect().Descriptor()); err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(body, m); err != nil {
		return nil, fmt.Errorf("%w: %w", errSpelling, err)
	}
	return open(m, bytes.Clone(raw))
}

// Read reads an evidence file from a path. Errors: ErrMalformed, or the system's.
func Read(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	err = errors.Join(err, f.Close())
	if err != nil {
		return nil, fmt.Errorf("read evidence %s: %w", path, err)
	}
	file, err := Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("read evidence %s: %w", path, err)
	}
	return file, nil
}

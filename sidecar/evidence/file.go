package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"google.golang.org/protobuf/proto"

	evidencev1 "verbatim/proto/verbatim/evidence/v1"
)

// A file begins with this line; a serialized Evidence follows.
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
	if len(raw) > MaxFile {
		return nil, fmt.Errorf("encode evidence: %d octets, at most %d are read again", len(raw), MaxFile)
	}
	return raw, nil
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
		if line, _, _ := strings.Cut(string(raw[:min(len(raw), 64)]), "\n"); strings.HasPrefix(line, anyKind) {
			return nil, fmt.Errorf("it says %q, and this version reads %q: use a newer verbatim", line, strings.TrimSpace(magic))
		}
		return nil, fmt.Errorf("it does not begin with %q", strings.TrimSpace(magic))
	}
	m := &evidencev1.Evidence{}
	if err := canonical(body, m.ProtoReflect().Descriptor()); err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(body, m); err != nil {
		return nil, fmt.Errorf("it is cut off, or damaged: %w", err)
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

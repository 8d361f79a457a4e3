package archive

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// maxManifest is more than any manifest has, in bytes.
const maxManifest = 1 << 20

// parseManifest reads a manifest's text. It takes only what Manifest.text gives.
func parseManifest(text string) (*Manifest, error) {
	title, rest, _ := strings.Cut(text, "\n")
	if title != manifestTitle && title != manifestTitle2 {
		return nil, fmt.Errorf("%w: it begins with %.40q, not with %q", ErrVersion, title, manifestTitle)
	}
	m := &Manifest{}
	for line := range strings.Lines(rest) {
		if err := m.line(strings.Fields(line)); err != nil {
			return nil, fmt.Errorf("line %.200q: %w", line, err)
		}
	}
	if m.text() != text {
		return nil, errors.New("it is not in the one form that a manifest has")
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return m, nil
}

// line takes one line, in words. What is repeated or out of order shows when the
// text is made again.
func (m *Manifest) line(words []string) error {
	f := &fields{words: words}
	switch f.word() {
	case "log":
		m.LogID = f.hash()
	case "number":
		m.Number = f.number()
	case "previous":
		m.Previous = f.hash()
	case "remains":
		m.Remains = &Remains{Cut: auditlog.Cut{Offset: f.number(), Root: f.hash(), PruneOffset: f.number()}, Object: f.object()}
	case "segment":
		m.Segments = append(m.Segments, Segment{First: f.number(), Last: f.number(), Root: f.hash(), Object: f.object()})
	case "records":
		m.Records = &Records{Count: f.number(), Object: f.object()}
	case "recorded":
		if m.Recorded == nil {
			m.Recorded = map[string]string{}
		}
		prefix := f.octets()
		m.Recorded[prefix] = f.octets()
	case "through":
		m.Through = End{Offset: f.number(), CheckpointID: f.number(), Root: f.hash()}
	default:
		return errors.New("unknown")
	}
	return f.err
}

// check says whether the parts of a manifest fit each other.
func (m *Manifest) check() error {
	if (m.Number == 0) != (m.Previous == chain.Hash{}) {
		return errors.New("the first manifest, and only that, names no previous one")
	}
	if m.Number == 0 && len(m.Segments) == 0 {
		return errors.New("the first manifest has no entries")
	}
	for i, s := range m.Segments {
		if s.Last < s.First || i > 0 && s.First != m.Segments[i-1].Last+1 {
			return fmt.Errorf("segment %d to %d does not follow", s.First, s.Last)
		}
	}
	if n := len(m.Segments); n > 0 && (m.Segments[n-1].Last != m.Through.Offset || m.Segments[n-1].Root != m.Through.Root) {
		return errors.New("its last segment does not end where it says that the archive does")
	}
	if m.Number == 0 && m.Segments[0].First != m.first() {
		return fmt.Errorf("the first manifest does not begin at offset %d", m.first())
	}
	if r := m.Remains; r != nil && (r.Cut.Offset == 0 || r.Cut.PruneOffset <= r.Cut.Offset) {
		return errors.New("it begins where no log can have been pruned")
	}
	return nil
}

// first is the offset that the archive begins with.
func (m *Manifest) first() uint64 {
	if m.Remains == nil {
		return 0
	}
	return m.Remains.Cut.Offset
}

// beginning is what every manifest of an archive has to have of Remains; zero: none.
func (m *Manifest) beginning() Remains {
	if m.Remains == nil {
		return Remains{}
	}
	return *m.Remains
}

// fields reads the words of a line; the first error stays.
type fields struct {
	words []string
	err   error
}

func (f *fields) word() string {
	if len(f.words) == 0 {
		f.fail("it is too short")
		return ""
	}
	w := f.words[0]
	f.words = f.words[1:]
	return w
}

func (f *fields) fail(text string) {
	if f.err == nil {
		f.err = errors.New(text)
	}
}

func (f *fields) number() uint64 {
	n, err := strconv.ParseUint(f.word(), 10, 64)
	if err != nil {
		f.fail("want a number")
	}
	return n
}

func (f *fields) hash() chain.Hash {
	h, err := chain.ParseHash(f.word())
	if err != nil {
		f.fail("want 64 hexadecimal digits")
	}
	return h
}

func (f *fields) octets() string {
	b, err := hex.DecodeString(f.word())
	if err != nil {
		f.fail("want hexadecimal digits")
	}
	return string(b)
}

func (f *fields) object() Object { return Object{Digest: f.hash(), Size: f.number()} }

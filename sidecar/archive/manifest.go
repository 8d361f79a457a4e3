package archive

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"verbatim/sidecar/chain"
)

// Manifest is one step of an archive: what was added, and how far the archive then
// reaches. Each names the one before it by digest, so that the newest one fixes all.
type Manifest struct {
	// LogID is whose entries these are.
	LogID chain.Hash
	// Number is 0, 1, 2, ...
	Number uint64
	// Previous is the digest of the manifest before this one; zero for number 0.
	Previous chain.Hash
	// Remains are where the archive begins, the same in each manifest; nil: with the
	// genesis.
	Remains *Remains
	// Segments are the entries that were added, in order.
	Segments []Segment
	// Records is what was added from beside the chain; nil: nothing.
	Records *Records
	// Recorded has the key of the last record that is archived, by prefix.
	Recorded map[string]string
	// Through is where the archive ends: a checkpoint.
	Through End
}

// Segment is an object that holds consecutive entries.
type Segment struct {
	// First and Last are offsets, both inclusive.
	First, Last uint64
	// Root is the entry hash of Last.
	Root   chain.Hash
	Object Object
}

// Records is an object that holds records from beside the chain.
type Records struct {
	Count  uint64
	Object Object
}

// Object is what has to be under a name.
type Object struct {
	// Digest is SHA-256 of all of its bytes.
	Digest chain.Hash
	// Size in bytes.
	Size uint64
}

// End is the newest archived entry, a checkpoint's.
type End struct {
	Offset       uint64
	CheckpointID uint64
	// Root is its entry hash.
	Root chain.Hash
}

// manifestTitle begins every manifest of an archive that begins with the genesis, and
// manifestTitle2 every other: who reads only the former must not misunderstand it.
const (
	manifestTitle  = "verbatim archive manifest 1"
	manifestTitle2 = "verbatim archive manifest 2"
)

func (m *Manifest) title() string {
	if m.Remains != nil {
		return manifestTitle2
	}
	return manifestTitle
}

// text is the manifest as it is signed and stored. There is one text for each
// manifest.
func (m *Manifest) text() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s\nlog %s\nnumber %d\nprevious %s\n", m.title(), m.LogID, m.Number, m.Previous)
	if r := m.Remains; r != nil {
		fmt.Fprintf(b, "remains %d %s %d %s %d\n", r.Cut.Offset, r.Cut.Root, r.Cut.PruneOffset, r.Object.Digest, r.Object.Size)
	}
	for _, s := range m.Segments {
		fmt.Fprintf(b, "segment %d %d %s %s %d\n", s.First, s.Last, s.Root, s.Object.Digest, s.Object.Size)
	}
	if r := m.Records; r != nil {
		fmt.Fprintf(b, "records %d %s %d\n", r.Count, r.Object.Digest, r.Object.Size)
	}
	for _, prefix := range slices.Sorted(maps.Keys(m.Recorded)) {
		fmt.Fprintf(b, "recorded %x %x\n", prefix, m.Recorded[prefix])
	}
	fmt.Fprintf(b, "through %d %d %s\n", m.Through.Offset, m.Through.CheckpointID, m.Through.Root)
	return b.String()
}

// manifestKey is where a manifest is.
func manifestKey(number uint64) string { return fmt.Sprintf("%s%020d", manifestPrefix, number) }

const manifestPrefix = "manifests/"

// key is where a segment is.
func (s Segment) key() string {
	return fmt.Sprintf("segments/%020d-%020d-%s", s.First, s.Last, s.Object.Digest)
}

// key is where records are.
func (r Records) key() string { return "records/" + r.Object.Digest.String() }

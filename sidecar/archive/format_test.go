package archive

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

var update = flag.Bool("update", false, "update the golden files in testdata")

// golden compares with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-) and now (+):\n%s", path, diff)
	}
}

func exampleManifest() *Manifest {
	h := func(s string) chain.Hash { return chain.EventHash([]byte(s)) }
	return &Manifest{
		LogID: h("log"), Number: 3, Previous: h("previous"),
		Segments: []Segment{
			{First: 3001, Last: 4000, Root: h("root 4000"), Object: Object{Digest: h("segment 1"), Size: 81234}},
			{First: 4001, Last: 6000, Root: h("root 6000"), Object: Object{Digest: h("segment 2"), Size: 171234}},
		},
		Records:  &Records{Count: 3, Object: Object{Digest: h("records"), Size: 4711}},
		Recorded: map[string]string{"anchor/receipt/": "anchor/receipt/\x00\x00\x00\x00\x00\x00\x00\x05", "checkpoint/note/": "checkpoint/note/\x00\x00\x00\x00\x00\x00\x00\x05"},
		Through:  End{Offset: 6000, CheckpointID: 5, Root: h("root 6000")},
	}
}

func TestTheManifestIsDocumented(t *testing.T) {
	m := exampleManifest()
	golden(t, "manifest.txt", []byte(m.text()))
	again, err := parseManifest(m.text())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, again); diff != "" {
		t.Error(diff)
	}
}

func TestAManifestHasOneForm(t *testing.T) {
	good := exampleManifest().text()
	for name, change := range map[string]func(string) string{
		"another title":       func(s string) string { return strings.Replace(s, "manifest 1", "manifest 2", 1) },
		"two spaces":          func(s string) string { return strings.Replace(s, "number 3", "number  3", 1) },
		"a leading zero":      func(s string) string { return strings.Replace(s, "number 3", "number 03", 1) },
		"upper case":          func(s string) string { return s[:60] + strings.ToUpper(s[60:]) },
		"no end":              func(s string) string { return strings.TrimSuffix(s, "\n") },
		"a line more":         func(s string) string { return s + "more 1\n" },
		"an empty line":       func(s string) string { return s + "\n" },
		"twice":               func(s string) string { return s + s },
		"a word more":         func(s string) string { return strings.Replace(s, "number 3", "number 3 4", 1) },
		"a word less":         func(s string) string { return strings.Replace(s, "records 3 ", "records ", 1) },
		"segments with holes": func(s string) string { return strings.Replace(s, "segment 4001", "segment 4002", 1) },
		"another end":         func(s string) string { return strings.Replace(s, "through 6000", "through 6001", 1) },
		"the first":           func(s string) string { return strings.Replace(s, "number 3", "number 0", 1) },
	} {
		if bad := change(good); bad == good {
			t.Errorf("%s: nothing was changed", name)
		} else if m, err := parseManifest(bad); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func exampleRemains() (auditlog.Cut, *remains) {
	h := func(s string) chain.Hash { return chain.EventHash([]byte(s)) }
	return auditlog.Cut{Offset: 3, Root: h("root 3"), PruneOffset: 1234}, &remains{
		kept:  []auditlog.Entry{{Offset: 0, Raw: []byte("genesis")}, {Offset: 1, PrevEntryHash: h("entry 0"), Raw: []byte("start")}},
		nodes: map[chain.NodeID]chain.Hash{{Level: 0, Index: 0}: h("0/0"), {Level: 0, Index: 1}: h("0/1"), {Level: 0, Index: 2}: h("0/2"), {Level: 1, Index: 0}: h("1/0")},
	}
}

// An archive that begins where the log was pruned says so in each of its manifests,
// under a title that who does not know that does not read.
func TestRemainsAreDocumented(t *testing.T) {
	m := exampleManifest()
	cut, left := exampleRemains()
	b, err := left.encode(m.LogID, cut)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "remains.hex", []byte(hex.Dump(b)))
	m.Remains = &Remains{Cut: cut, Object: Object{Digest: chain.EventHash(b), Size: uint64(len(b))}}
	golden(t, "manifest2.txt", []byte(m.text()))
	again, err := parseManifest(m.text())
	if diff := cmp.Diff(m, again); err != nil || diff != "" {
		t.Error(err, diff)
	}
	read, err := decodeRemains(b, m.LogID, cut)
	if err != nil || !slices.EqualFunc(read.kept, left.kept, sameEntry) || !maps.Equal(read.nodes, left.nodes) {
		t.Errorf("%+v, %v", read, err)
	}
	for n := range len(b) {
		if r, err := decodeRemains(b[:n], m.LogID, cut); err == nil {
			t.Errorf("%d of %d bytes: %+v", n, len(b), r)
		}
	}
	for name, change := range map[string]func(m *Manifest){
		"the genesis":          func(m *Manifest) { m.Remains.Cut.Offset = 0 },
		"a prune entry before": func(m *Manifest) { m.Remains.Cut.PruneOffset = 3 },
		"a first with a hole":  func(m *Manifest) { m.Number, m.Previous = 0, chain.Hash{} },
	} {
		m, _ := parseManifest(m.text())
		if change(m); m.check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func sameEntry(a, b auditlog.Entry) bool {
	return a.Offset == b.Offset && a.PrevEntryHash == b.PrevEntryHash && bytes.Equal(a.Raw, b.Raw)
}

func FuzzRemains(f *testing.F) {
	cut, left := exampleRemains()
	id := chain.EventHash([]byte("log"))
	b, err := left.encode(id, cut)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRemains(b, id, cut)
		if err != nil {
			return
		}
		again, err := r.encode(id, cut)
		if err != nil {
			t.Fatal(err)
		}
		second, err := decodeRemains(again, id, cut)
		if err != nil || !slices.EqualFunc(second.kept, r.kept, sameEntry) || !maps.Equal(second.nodes, r.nodes) {
			t.Errorf("written and read again %+v, %v", second, err)
		}
	})
}

func exampleSegment(t testing.TB) (Segment, []byte) {
	t.Helper()
	w, err := newSegmentWriter(chain.EventHash([]byte("log")), 7)
	if err != nil {
		t.Fatal(err)
	}
	prev := chain.EventHash([]byte("entry 6"))
	for i, raw := range []string{"first", "", strings.Repeat("long ", 100_000)} {
		e := auditlog.Entry{Offset: 7 + uint64(i), PrevEntryHash: prev, Raw: []byte(raw)}
		prev = e.Hash()
		if err := w.add(e, prev); err != nil {
			t.Fatal(err)
		}
	}
	s, b, err := w.finish()
	if err != nil {
		t.Fatal(err)
	}
	return s, b
}

func TestTheSegmentIsDocumented(t *testing.T) {
	s, b := exampleSegment(t)
	golden(t, "segment.hex", []byte(hex.Dump(b)))
	if s.First != 7 || s.Last != 9 || s.Object.Size != uint64(len(b)) || s.Object.Digest != chain.EventHash(b) {
		t.Errorf("%+v", s)
	}
	list, err := readSegment(b)
	if err != nil || len(list) != 3 || list[2].Hash() != s.Root {
		t.Errorf("%d entries, %v", len(list), err)
	}
}

func readSegment(b []byte) (list []auditlog.Entry, err error) {
	r, err := openSegment(b)
	if err != nil {
		return nil, err
	}
	defer r.close()
	for {
		e, err := r.entry()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
}

func TestASegmentIsReadStrictly(t *testing.T) {
	_, good := exampleSegment(t)
	for n := range len(good) {
		if list, err := readSegment(good[:n]); err == nil {
			t.Errorf("%d of %d bytes: %d entries", n, len(good), len(list))
		}
	}
	head := len(segmentTitle) + chain.Size
	for name, at := range map[string]int{"first": head, "count": head + 8, "raw": head + 16} {
		for _, by := range []byte{1, 0xff} {
			bad := bytes.Clone(good)
			bad[at+7] += by
			list, err := readSegment(bad)
			if err == nil && name != "first" { // another offset is what the links tell
				t.Errorf("%s: %d entries", name, len(list))
			}
		}
	}
}

func exampleRecords(t testing.TB) []byte {
	t.Helper()
	b, err := encodeRecords(chain.EventHash([]byte("log")), []auditlog.Record{
		{Key: []byte("anchor/receipt/1"), Value: []byte("receipt")}, {Key: []byte("anchor/receipt/2"), Value: []byte{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRecordsAreDocumented(t *testing.T) {
	b := exampleRecords(t)
	golden(t, "records.hex", []byte(hex.Dump(b)))
	id, list, err := decodeRecords(b)
	if err != nil || id != chain.EventHash([]byte("log")) || len(list) != 2 || list[1].Value == nil {
		t.Errorf("%v, %v, %v", id, list, err)
	}
	for n := range len(b) {
		if _, list, err := decodeRecords(b[:n]); err == nil {
			t.Errorf("%d of %d bytes: %d records", n, len(b), len(list))
		}
	}
	bad, err := encodeRecords(chain.Hash{}, []auditlog.Record{{Key: []byte("b"), Value: []byte{}}, {Key: []byte("a"), Value: []byte{}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := decodeRecords(bad); err == nil {
		t.Error("records out of order")
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(exampleManifest().text()))
	signed, err := os.ReadFile("testdata/manifest-signed.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := unseal(b, nil)
		if err == nil && !bytes.HasPrefix(b, []byte(m.text())) {
			t.Errorf("read as %q", m.text())
		}
	})
}

func FuzzSegment(f *testing.F) {
	_, b := exampleSegment(f)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := readSegment(b)
		if err != nil || len(list) == 0 {
			return
		}
		w, err := newSegmentWriter(chain.Hash(b[len(segmentTitle):]), list[0].Offset)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if err := w.add(e, e.Hash()); err != nil {
				t.Fatal(err)
			}
		}
		_, again, err := w.finish()
		if err != nil {
			t.Fatal(err)
		}
		second, err := readSegment(again)
		if err != nil || len(second) != len(list) {
			t.Errorf("%d entries, written and read again %d, %v", len(list), len(second), err)
		}
	})
}

func FuzzRecords(f *testing.F) {
	f.Add(exampleRecords(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, list, err := decodeRecords(b)
		if err != nil {
			return
		}
		again, err := encodeRecords(id, list)
		if err != nil {
			t.Fatal(err)
		}
		if _, second, err := decodeRecords(again); err != nil || len(second) != len(list) {
			t.Errorf("%d records, written and read again %d, %v", len(list), len(second), err)
		}
	})
}

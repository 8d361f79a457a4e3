package auditlog

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

func TestPostingsComeBack(t *testing.T) {
	for _, offsets := range [][]uint64{nil, {0}, {0, 1, 2}, {5, 1000, 1 << 40, 1<<64 - 1}} {
		got, err := appendPostings(nil, encodePostings(offsets))
		if err != nil || !slices.Equal(got, offsets) {
			t.Errorf("%v came back as %v, %v", offsets, got, err)
		}
	}
	if _, err := appendPostings(nil, []byte{0x80}); err == nil {
		t.Error("a broken posting list is no error")
	}
}

// TestTermPrefixesAreApart: no term's keys begin with another's prefix.
func TestTermPrefixesAreApart(t *testing.T) {
	terms := []Term{KindTerm(KindAbort), KindTerm(KindGap), StatusTerm(200), StatusTerm(503), StatusTerm(1 << 31)}
	for _, id := range []string{"", "a", "ab", "b", "\x01a", "a\x00", "k\x08", string(make([]byte, 200))} {
		terms = append(terms, MeterTerm(id))
	}
	for _, a := range terms {
		for _, b := range terms {
			if a != b && bytes.HasPrefix(termKey(b, 1), termPrefix(a)) {
				t.Errorf("keys of %s begin with the prefix of %s", b, a)
			}
		}
		if got, window, ok := parseTermKey(termKey(a, 7)); !ok || got != a || window != 7 {
			t.Errorf("the key of %s came back as %s in window %d, %t", a, got, window, ok)
		}
	}
	for _, bad := range [][]byte{nil, {0x80}, {1, 'k'}, termKey("k", 1)[:9], append(termKey("k", 1), 0)} {
		if _, _, ok := parseTermKey(bad); ok {
			t.Errorf("%x is a key of no term", bad)
		}
	}
}

func TestTheStatusOfAnOutput(t *testing.T) {
	for _, c := range []struct {
		output *logv1.Output
		raw    []byte
		want   uint32
	}{
		{output: &logv1.Output{Status: 503, HasBody: true, Body: []byte("down")}, want: 503},
		{output: &logv1.Output{Status: 1<<32 - 1}, want: 1<<32 - 1},
		{output: &logv1.Output{Body: []byte("no status")}},
		{raw: []byte("text")},
		{raw: []byte{0x08}},
		{raw: []byte{0x08, 0x80}},
		{raw: []byte{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}}, // more than 32 bits
		{raw: []byte{0x18, 1, 0x08, 200, 1}},                    // not where a canonical one has it
	} {
		raw := c.raw
		if c.output != nil {
			var err error
			if raw, err = proto.Marshal(c.output); err != nil {
				t.Fatal(err)
			}
		}
		if got := OutputStatus(raw); got != c.want {
			t.Errorf("%x has status %d, want %d", raw, got, c.want)
		}
	}
}

func TestEntriesComeBack(t *testing.T) {
	want := Entry{Offset: 7, eventHash: &chain.Hash{1}, PrevEntryHash: chain.Hash{2}, Raw: []byte("raw")}
	got, err := decodeEntry(7, encodeEntry(nil, want))
	if err != nil || got.EventHash() != want.EventHash() || got.PrevEntryHash != want.PrevEntryHash || !bytes.Equal(got.Raw, want.Raw) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := decodeEntry(7, make([]byte, entryHead-1)); err == nil {
		t.Error("a value that is too short is no error")
	}
}

// FuzzPostings: reading a list never panics and never gives more than it was given.
func FuzzPostings(f *testing.F) {
	f.Add(encodePostings([]uint64{1, 2, 300}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if offsets, err := appendPostings(nil, b); err == nil && len(offsets) > len(b) {
			t.Errorf("%d offsets from %d bytes", len(offsets), len(b))
		}
	})
}

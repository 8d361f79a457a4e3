package auditlog

import (
	"bytes"
	"slices"
	"testing"

	"verbatim/sidecar/chain"
)

func TestPostingsComeBack(t *testing.T) {
	for _, offsets := range [][]uint64{nil, {0}, {0, 1, 2}, {5, 1000, 1 << 40, 1<<64 - 1}} {
		got, err := decodePostings(encodePostings(offsets))
		if err != nil || !slices.Equal(got, offsets) {
			t.Errorf("%v came back as %v, %v", offsets, got, err)
		}
	}
	if _, err := decodePostings([]byte{0x80}); err == nil {
		t.Error("a broken posting list is no error")
	}
}

// TestMeterPrefixesAreApart: no meter id's keys begin with another's prefix.
func TestMeterPrefixesAreApart(t *testing.T) {
	ids := []string{"", "a", "ab", "b", "\x01a", "a\x00", string(make([]byte, 200))}
	for _, a := range ids {
		for _, b := range ids {
			if a != b && bytes.HasPrefix(meterKey(b, 1), meterPrefix(a)) {
				t.Errorf("keys of %q begin with the prefix of %q", b, a)
			}
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

// FuzzDecodePostings never panics and never gives more than it was given.
func FuzzDecodePostings(f *testing.F) {
	f.Add(encodePostings([]uint64{1, 2, 300}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if offsets, err := decodePostings(b); err == nil && len(offsets) > len(b) {
			t.Errorf("%d offsets from %d bytes", len(offsets), len(b))
		}
	})
}

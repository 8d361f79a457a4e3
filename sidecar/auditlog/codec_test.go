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
	want := Entry{Offset: 7, EventHash: chain.Hash{1}, PrevEntryHash: chain.Hash{2}, Raw: []byte("raw")}
	got, err := decodeEntry(7, encodeEntry(nil, want))
	if err != nil || got.EventHash != want.EventHash || got.PrevEntryHash != want.PrevEntryHash || !bytes.Equal(got.Raw, want.Raw) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := decodeEntry(7, make([]byte, entryHead-1)); err == nil {
		t.Error("a value that is too short is no error")
	}
}

// FuzzPeek: what Peek says of an event that can be decoded is what it holds.
func FuzzPeek(f *testing.F) {
	for _, ev := range []*logv1.Event{
		{}, {WallClockMs: 5, Kind: &logv1.Event_Gap{Gap: &logv1.Gap{Exchanges: 1}}},
		{WallClockMs: 1 << 60, Kind: &logv1.Event_Request{Request: &logv1.Request{Body: []byte("b")}}},
	} {
		raw, err := proto.Marshal(ev)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		kind, clock, err := Peek(raw)
		var ev logv1.Event
		if proto.Unmarshal(raw, &ev) != nil {
			return
		}
		if err != nil || clock != ev.GetWallClockMs() || kind != describe(&ev).Kind {
			t.Errorf("peeked %s at %d, %v; the event is %v", kind, clock, err, &ev)
		}
	})
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

package auditlog

import (
	"bytes"
	"errors"
	"testing"

	"verbatim/sidecar/chain"
)

func someBlock(raws ...string) *block {
	b := &block{}
	for i, r := range raws {
		b.add(Entry{Offset: 70 + uint64(i), PrevEntryHash: chain.Hash{byte(i)}, Raw: []byte(r)}, 0)
	}
	return b
}

func TestBlocksComeBack(t *testing.T) {
	want := someBlock("first", "", "third")
	got, err := decodeBlock(70, want.encodeRaws(), want.hashes)
	if err != nil {
		t.Fatal(err)
	}
	for o := uint64(70); o < 73; o++ {
		w, g := want.at(o), got.at(o)
		if g.Offset != o || g.PrevEntryHash != w.PrevEntryHash || !bytes.Equal(g.Raw, w.Raw) {
			t.Errorf("%d came back as %+v", o, g)
		}
		if g.EventHash() != chain.EventHash(w.Raw) {
			t.Errorf("%d has the event hash %s", o, g.EventHash())
		}
	}
}

func TestBlocksEnd(t *testing.T) {
	b := &block{}
	for i := range uint64(blockEntries) {
		if !b.add(Entry{Offset: i}, 0) {
			t.Fatalf("no room for entry %d", i)
		}
	}
	if b.add(Entry{Offset: blockEntries}, 0) {
		t.Error("more entries than a block may have")
	}
	big := &block{}
	if !big.add(Entry{Raw: make([]byte, 2*blockBytes)}, 0) || big.add(Entry{Offset: 1}, 2*blockBytes) {
		t.Error("a large entry has a block to itself")
	}
}

// FuzzDecodeBlock never panics, and takes nothing that it would not write.
func FuzzDecodeBlock(f *testing.F) {
	for _, b := range []*block{someBlock("a"), someBlock("first", "", "third")} {
		f.Add(b.encodeRaws(), b.hashes)
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, []byte{})
	f.Fuzz(func(t *testing.T, raws, hashes []byte) {
		b, err := decodeBlock(5, raws, hashes)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("not said to be damaged: %v", err)
			}
			return
		}
		again, err := decodeBlock(5, b.encodeRaws(), b.hashes)
		if err != nil || again.count() != b.count() {
			t.Errorf("%d entries came back as %v, %v", b.count(), again, err)
		}
	})
}

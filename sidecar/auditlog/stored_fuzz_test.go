package auditlog

import (
	"bytes"
	"errors"
	"testing"

	"verbatim/sidecar/chain"
)

// FuzzStored: what the store holds under a key is damaged, or is what would be written
// for it. Of the keys of lists that is the verifier's to find: two can mean one.
func FuzzStored(f *testing.F) {
	event := chain.EventHash([]byte("raw"))
	f.Add(encodeEntry(nil, Entry{Offset: 7, Raw: []byte("raw"), eventHash: &event}))
	f.Add(treeKey(chain.NodeID{Level: 8, Index: 300}))
	f.Add(encodePair(1, 1<<63))
	f.Add(checkpointRecord(7, [][]byte{event[:], event[:]}))
	f.Add(termKey(MeterTerm("m"), 7))
	f.Add([]byte("\x81\x00m\x00\x00\x00\x00\x00\x00\x00\x07")) // the same, longer than it need be
	f.Fuzz(func(t *testing.T, stored []byte) {
		wrote := func(what string, err error, again []byte) {
			t.Helper()
			if err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("%s is not said to be damaged: %v", what, err)
			}
			if err == nil && !bytes.Equal(again, stored) {
				t.Errorf("%s %x is written as %x", what, stored, again)
			}
		}
		e, err := decodeEntry(7, stored)
		if err == nil {
			wrote("entry", err, encodeEntry(nil, e))
		} else {
			wrote("entry", err, nil)
		}
		a, b, err := decodePair(stored)
		wrote("pair", err, encodePair(a, b))
		offset, nodes, err := parseCheckpointRecord(7, stored)
		wrote("checkpoint", err, checkpointRecord(offset, nodes))
		if id, ok := parseTreeKey(stored); ok {
			wrote("node's key", nil, treeKey(id))
		}
		if term, window, ok := parseTermKey(stored); ok {
			again, windowAgain, ok := parseTermKey(termKey(term, window))
			if !ok || again != term || windowAgain != window {
				t.Errorf("key %x of %s in window %d comes back as %s, %d", stored, term, window, again, windowAgain)
			}
		}
	})
}

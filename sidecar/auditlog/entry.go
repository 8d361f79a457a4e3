package auditlog

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/chain"
)

// Entry is one stored entry (docs/LOG-FORMAT.md, "Entry"). The hashes are those
// that are stored: nothing is checked yet.
type Entry struct {
	Offset        uint64
	PrevEntryHash chain.Hash
	// Raw is one serialized Event, as written. Entries that were read together may
	// share one buffer: nobody changes it.
	Raw []byte

	eventHash *chain.Hash // nil: not stored
}

// Hash is the entry hash over the stored fields.
func (e Entry) Hash() chain.Hash {
	return chain.EntryHash(e.PrevEntryHash, e.Offset, e.Raw)
}

// EventHash is the stored event hash, or SHA-256 of Raw for an entry that is stored
// without one, in a packed block.
func (e Entry) EventHash() chain.Hash {
	if e.eventHash == nil {
		return chain.EventHash(e.Raw)
	}
	return *e.eventHash
}

// StoredEventHash is the event hash as stored; false for an entry that is stored
// without one.
func (e Entry) StoredEventHash() (chain.Hash, bool) {
	if e.eventHash == nil {
		return chain.Hash{}, false
	}
	return *e.eventHash, true
}

// Event decodes the raw bytes. Its byte fields are copies.
func (e Entry) Event() (*logv1.Event, error) {
	var ev logv1.Event
	if err := proto.Unmarshal(e.Raw, &ev); err != nil {
		return nil, fmt.Errorf("decode event %d: %w", e.Offset, err)
	}
	return &ev, nil
}

// entryHead is the length of the hashes before the raw bytes in a stored value.
const entryHead = 2 * chain.Size

// encodeEntry appends the stored value: event hash, previous entry hash, raw.
func encodeEntry(dst []byte, e Entry) []byte {
	event := e.EventHash()
	dst = append(dst, event[:]...)
	dst = append(dst, e.PrevEntryHash[:]...)
	return append(dst, e.Raw...)
}

// decodeEntry copies the value.
func decodeEntry(offset uint64, value []byte) (Entry, error) {
	if len(value) < entryHead {
		return Entry{}, fmt.Errorf("decode entry %d: %w: %d bytes are too few", offset, ErrDamaged, len(value))
	}
	event := chain.Hash(value[:chain.Size])
	return Entry{
		Offset:        offset,
		PrevEntryHash: chain.Hash(value[chain.Size:entryHead]),
		Raw:           append([]byte(nil), value[entryHead:]...),
		eventHash:     &event,
	}, nil
}

// offsetKey orders like the offset.
func offsetKey(offset uint64) []byte {
	return binary.BigEndian.AppendUint64(nil, offset)
}

func parseOffsetKey(key []byte) (uint64, error) {
	if len(key) != 8 {
		return 0, fmt.Errorf("read entry key %x: %w: want 8 bytes", key, ErrDamaged)
	}
	return binary.BigEndian.Uint64(key), nil
}

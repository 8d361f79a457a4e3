package evidence

import (
	"bytes"
	"errors"
	"hash/crc32"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	evidencev1 "verbatim/proto/verbatim/evidence/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/checkpoint"
)

// What somebody makes who has files of two logs and of two checkpoints, and takes parts
// of each.
func mixed(h *honest) []forgery {
	return []forgery{
		{name: "all of another log but the note", change: func(m *evidencev1.Evidence) {
			note, keys := m.Note, m.Keys
			proto.Reset(m)
			proto.Merge(m, h.elsewhere)
			m.Note, m.Keys = note, keys
		}, words: "The signed note is of log"},
		{name: "all of another log but the receipt", change: func(m *evidencev1.Evidence) {
			receipt := m.Receipt
			proto.Reset(m)
			proto.Merge(m, h.elsewhere)
			m.Receipt = receipt
		}, words: "its transaction is of log"},
		{name: "all of another log but the genesis and the note", change: func(m *evidencev1.Evidence) {
			genesis, note, keys := m.Entries[0], m.Note, m.Keys
			proto.Reset(m)
			proto.Merge(m, h.elsewhere)
			m.Entries[0], m.Note, m.Keys = genesis, note, keys
		}, words: "Entry 0 is not in the checkpoint's tree"},
		{name: "a later checkpoint and its note with an earlier proof", change: func(m *evidencev1.Evidence) {
			m.Checkpoint, m.Note, m.Keys, m.Receipt = h.later.Checkpoint, h.later.Note, h.later.Keys, h.later.Receipt
		}, malformed: true, words: "octets of Merkle nodes"},
		{name: "a later checkpoint at an earlier size", change: func(m *evidencev1.Evidence) {
			size, nodes := m.Checkpoint.StreamOffset, m.Nodes
			m.Checkpoint = proto.CloneOf(h.later.Checkpoint)
			m.Checkpoint.StreamOffset, m.Nodes = size, nodes
			m.Note, m.Receipt = h.later.Note, h.later.Receipt
		}, words: "says that it seals the entries 10 to 19: a checkpoint seals those before its own"},
		{name: "a checkpoint that counts itself", change: func(m *evidencev1.Evidence) {
			edit(m.Checkpoint, func(ev *logv1.Event) { ev.GetCheckpoint().LastOffset = m.Checkpoint.StreamOffset })
		}, words: "a checkpoint seals those before its own"},
		{name: "an earlier checkpoint's note and a later one's receipt", change: func(m *evidencev1.Evidence) {
			m.Receipt = h.later.Receipt
		}, words: "its transaction is of checkpoint 1"},
		{name: "a later checkpoint with all but the receipt", change: func(m *evidencev1.Evidence) {
			receipt := m.Receipt
			proto.Reset(m)
			proto.Merge(m, h.later)
			m.Receipt = receipt
		}, words: "its transaction is of checkpoint 0"},
		{name: "the response of another request at its offset", change: func(m *evidencev1.Evidence) {
			other := proto.CloneOf(h.second.Entries[2])
			other.StreamOffset, other.PrevEntryHash = m.Entries[3].StreamOffset, m.Entries[3].PrevEntryHash
			m.Entries[3] = other
		}, words: "Entry 4 is not in the checkpoint's tree"},
		{name: "the same, and it names this request", change: func(m *evidencev1.Evidence) {
			other := proto.CloneOf(h.second.Entries[2])
			other.StreamOffset, other.PrevEntryHash = m.Entries[3].StreamOffset, m.Entries[3].PrevEntryHash
			edit(other, func(ev *logv1.Event) { ev.GetResponse().RequestOffset = 2; ev.GetResponse().Output = []byte{8, 1} })
			m.Entries[3] = other
		}, words: "Entry 4 is not in the checkpoint's tree"},
		{name: "two outcomes", change: func(m *evidencev1.Evidence) {
			m.Entries, m.Nodes = append(m.Entries, h.second.Entries[2]), nodesOf(m, h.second, 0, 2, 3, 4, 6)
		}, malformed: true, words: "its entries 4 and 6 are not of one exchange"},
		{name: "the note twice", change: func(m *evidencev1.Evidence) { m.Note = append(bytes.Clone(m.Note), m.Note...) }, words: "The signed note can't be read"},
		{name: "the same signature twice", change: func(m *evidencev1.Evidence) {
			line := m.Note[bytes.LastIndexByte(m.Note[:len(m.Note)-1], '\n')+1:]
			m.Note = append(bytes.Clone(m.Note), line...)
		}, words: "The signed note can't be read"},
		{name: "a bad signature of the same key before the good one", change: func(m *evidencev1.Evidence) {
			m.Note = withBadFirst(m.Note)
		}, words: "The signed note"},
		{name: "the key twice", change: func(m *evidencev1.Evidence) { m.Keys = append(m.Keys, m.Keys...) }, words: "The signed note: check signatures"},
	}
}

// withBadFirst puts another checkpoint's signature of the same key before the good one.
func withBadFirst(note []byte) []byte {
	at := bytes.LastIndexByte(note[:len(note)-1], '\n') + 1
	line := bytes.Clone(note[at:])
	line[len(line)-20] ^= 1 // within the base64, and stays base64 or is refused
	return append(append(bytes.Clone(note[:at]), line...), note[at:]...)
}

func TestMixedFilesAreTold(t *testing.T) {
	t.Parallel()
	h := newHonest(t)
	for _, c := range mixed(h) {
		m := proto.CloneOf(h.first)
		c.change(m)
		f, err := Parse(must(encode(m))(t))
		if c.malformed || err != nil {
			if !c.malformed || !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%s: %v, want %q", c.name, err, c.words)
			}
			continue
		}
		wantFinding(t, c, f.Check(Trusted{}))
	}
}

// What another reader of protobuf could read otherwise is refused: what it was written
// from is not what was checked.
func TestAnotherSpellingIsRefused(t *testing.T) {
	t.Parallel()
	h := newHonest(t)
	body := func(m *evidencev1.Evidence) []byte {
		raw := must(encode(m))(t)
		return raw[len(magic) : len(raw)-crc32.Size]
	}
	honest := body(h.first)
	field := func(num protowire.Number, value []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), value)
	}
	for name, raw := range map[string][]byte{
		"a second subject":      append(protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 2), honest...),
		"a second checkpoint":   append(bytes.Clone(honest), field(3, must(proto.Marshal(h.later.Checkpoint))(t))...),
		"a second note":         append(bytes.Clone(honest), field(5, h.later.Note)...),
		"a second receipt":      append(bytes.Clone(honest), field(7, must(proto.Marshal(h.later.Receipt))(t))...),
		"an entry at the end":   append(bytes.Clone(honest), field(2, must(proto.Marshal(h.second.Entries[1]))(t))...),
		"an unknown field":      append(bytes.Clone(honest), field(99, []byte("x"))...),
		"an unknown inner one":  append(bytes.Clone(honest), field(8, field(99, []byte("x")))...),
		"a group":               append(bytes.Clone(honest), protowire.AppendTag(protowire.AppendTag(nil, 8, protowire.StartGroupType), 8, protowire.EndGroupType)...),
		"a zero that is said":   append([]byte{0x08, 0x00}, body(&evidencev1.Evidence{Entries: h.first.Entries})...),
		"a field of a new kind": append(protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), 2), honest...),
	} {
		if _, err := Parse(seal(append([]byte(magic), raw...))); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Signatures of a stranger's key of the same name do not count, and do not hide the good
// one; a keyring is asked by key, not by name.
func TestSignaturesOfOneName(t *testing.T) {
	t.Parallel()
	h := newHonest(t)
	f := must(Parse(must(encode(h.first))(t)))(t)
	good := must(checkpoint.ParseVerifierKey(h.first.Keys[0]))(t)
	stranger := must(checkpoint.CreateKeySynced(t.TempDir()+"/key", good.ID().Name))(t)
	theirs := must(checkpoint.Sign(checkpoint.Of(f.LogID(), f.Checkpoint()), stranger))(t)
	line := theirs[bytes.LastIndexByte(theirs[:len(theirs)-1], '\n')+1:]
	ring := must(checkpoint.ParseKeyring([]byte(good.String())))(t)
	for name, c := range map[string]struct {
		note []byte
		rung Rung
	}{
		"beside the good one": {append(bytes.Clone(h.first.Note), line...), Claimed},
		"alone":               {theirs, Nothing},
	} {
		m := proto.CloneOf(h.first)
		m.Note = c.note
		if r := must(Parse(must(encode(m))(t)))(t).Check(Trusted{Ring: ring}); r.Rung() != c.rung {
			t.Errorf("%s: %s, %v", name, r.Rung(), r.Findings())
		}
	}
}

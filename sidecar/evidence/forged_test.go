package evidence

import (
	"bytes"
	"errors"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"verbatim/contracts"
	anchorv1 "verbatim/proto/verbatim/anchor/v1"
	evidencev1 "verbatim/proto/verbatim/evidence/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
)

// forgery is what somebody does to an honest file, and what has to be said.
type forgery struct {
	name   string
	change func(*evidencev1.Evidence)
	words  string // of a finding; of the refusal where it is malformed
	malformed,
	onLedger bool // only the ledger tells
}

// honest are files of one log, anchored and signed, and of another.
type honest struct {
	ledger *ledger
	first, second,
	later, elsewhere *evidencev1.Evidence
}

func newHonest(t *testing.T) *honest {
	t.Helper()
	h := &honest{ledger: newLedger(t)}
	p, q := newPlace(t, h.ledger), newPlace(t, h.ledger)
	for _, each := range []*place{p, q} {
		r := each.request("m1", true)
		each.response(r)
		each.response(each.request("m1", false))
		each.seal()
		each.publish()
	}
	h.first, h.second, h.elsewhere = p.prove(2, Options{}).m, p.prove(5, Options{}).m, q.prove(2, Options{}).m
	p.seal()
	p.publish()
	h.later = p.prove(2, Options{}).m
	return h
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// edit changes an event within an entry.
func edit(e *evidencev1.Entry, change func(*logv1.Event)) {
	ev := &logv1.Event{}
	if err := proto.Unmarshal(e.GetRawEventBytes(), ev); err != nil {
		panic(err) // it was honest
	}
	change(ev)
	e.RawEventBytes, _ = proto.Marshal(ev)
}

func (h *honest) forgeries() []forgery {
	request, response := 1, 3 // 2 is the request's trailers
	return []forgery{
		{name: "the subject", change: func(m *evidencev1.Evidence) { m.Subject = 8 }, malformed: true, words: "does not hold entry 8"},
		{name: "an entry's offset", change: func(m *evidencev1.Evidence) { m.Entries[response].StreamOffset = 5 }, words: "Entry 5 is not in the checkpoint's tree"},
		{name: "an entry's previous hash", change: func(m *evidencev1.Evidence) {
			m.Entries[request].PrevEntryHash = flip(m.Entries[request].PrevEntryHash, 3)
		}, words: "Entry 2 is not in the checkpoint's tree"},
		{name: "a predecessor of the genesis", change: func(m *evidencev1.Evidence) { m.Entries[0].PrevEntryHash = make([]byte, 32) }, malformed: true, words: "its entry 0 has a previous hash of 32 octets"},
		{name: "a request", change: func(m *evidencev1.Evidence) {
			edit(m.Entries[request], func(ev *logv1.Event) { ev.GetRequest().Body = []byte(`{"kwh":2}`) })
		}, words: "Entry 2 is not in the checkpoint's tree"},
		{name: "a response", change: func(m *evidencev1.Evidence) {
			edit(m.Entries[response], func(ev *logv1.Event) { ev.WallClockMs++ })
		}, words: "Entry 4 is not in the checkpoint's tree"},
		{name: "the genesis", change: func(m *evidencev1.Evidence) {
			edit(m.Entries[0], func(ev *logv1.Event) { ev.GetGenesis().Anchor.Contract = "C" })
		}, words: "Entry 0 is not in the checkpoint's tree"},
		{name: "entries swapped", change: func(m *evidencev1.Evidence) {
			m.Entries[request], m.Entries[response] = m.Entries[response], m.Entries[request]
		}, malformed: true, words: "its entries are not in order"},
		{name: "the bytes of entries swapped", change: func(m *evidencev1.Evidence) {
			a, b := m.Entries[request], m.Entries[response]
			a.RawEventBytes, b.RawEventBytes = b.RawEventBytes, a.RawEventBytes
		}, words: "Entry 4 is not in the checkpoint's tree"},
		{name: "the response of another request", change: func(m *evidencev1.Evidence) {
			m.Entries[response], m.Nodes = h.second.Entries[2], nodesOf(m, h.second, 0, 2, 3, 6)
		}, words: "The response at 6 belongs to request 5, not to 2"},
		{name: "the outcome is kept back", change: func(m *evidencev1.Evidence) {
			m.Entries, m.Nodes = m.Entries[:response], nodesOf(m, h.second, 0, 2, 3)
		}, words: "Request 2 has an outcome in the entries 0 to 9, as checkpoint 0 does not list it as open"},
		{name: "the trailers are kept back", change: func(m *evidencev1.Evidence) {
			m.Entries = []*evidencev1.Entry{m.Entries[0], m.Entries[request], m.Entries[response]}
			m.Nodes = nodesOf(m, h.second, 0, 2, 4)
		}, words: "its trailers follow, and this file keeps them back"},
		{name: "no genesis", change: func(m *evidencev1.Evidence) { m.Entries = m.Entries[1:] }, malformed: true, words: "does not hold the log's genesis"},
		{name: "another log's genesis", change: func(m *evidencev1.Evidence) { m.Entries[0] = h.elsewhere.Entries[0] }, words: "Entry 0 is not in the checkpoint's tree"},
		{name: "a Merkle node", change: func(m *evidencev1.Evidence) { m.Nodes = flip(m.Nodes, 0) }, words: "is not in the checkpoint's tree"},
		{name: "a Merkle node too many", change: func(m *evidencev1.Evidence) { m.Nodes = append(m.Nodes, make([]byte, 32)...) }, malformed: true, words: "octets of Merkle nodes"},
		{name: "no Merkle nodes", change: func(m *evidencev1.Evidence) { m.Nodes = nil }, malformed: true, words: "octets of Merkle nodes"},
		{name: "the proof of another tree size", change: func(m *evidencev1.Evidence) { m.Nodes = h.later.Nodes }, malformed: true, words: "in a tree of 10 take"},
		{name: "no checkpoint", change: func(m *evidencev1.Evidence) { m.Checkpoint = nil }, malformed: true, words: "it holds no checkpoint"},
		{name: "an entry that is no checkpoint", change: func(m *evidencev1.Evidence) {
			m.Checkpoint = &evidencev1.Entry{StreamOffset: 10, PrevEntryHash: m.Checkpoint.PrevEntryHash, RawEventBytes: m.Entries[1].RawEventBytes}
		}, malformed: true, words: "its checkpoint, at 10, is a request"},
		{name: "the checkpoint's clock", change: func(m *evidencev1.Evidence) {
			edit(m.Checkpoint, func(ev *logv1.Event) { ev.WallClockMs++ })
		}, words: "The signed note is of another checkpoint"},
		{name: "the checkpoint's window", change: func(m *evidencev1.Evidence) {
			edit(m.Checkpoint, func(ev *logv1.Event) { ev.GetCheckpoint().LastOffset = 100 })
		}, words: "says that it seals the entries 0 to 100"},
		{name: "the checkpoint's Merkle root", change: func(m *evidencev1.Evidence) {
			edit(m.Checkpoint, func(ev *logv1.Event) {
				ev.GetCheckpoint().MerkleRoot = flip(ev.GetCheckpoint().GetMerkleRoot(), 0)
			})
		}, words: "Entry 0 is not in the checkpoint's tree"},
		{name: "an open request that has its outcome", change: func(m *evidencev1.Evidence) {
			edit(m.Checkpoint, func(ev *logv1.Event) { ev.GetCheckpoint().OpenRequests = []uint64{2} })
		}, words: "lists request 2 as open, and its outcome stands before"},
		{name: "the checkpoint of another log", change: func(m *evidencev1.Evidence) { m.Checkpoint = h.elsewhere.Checkpoint }, words: "Entry 2 is not in the checkpoint's tree"},
		{name: "a later checkpoint with an earlier note", change: func(m *evidencev1.Evidence) {
			m.Checkpoint, m.Nodes = h.later.Checkpoint, h.later.Nodes
		}, words: "The signed note is of another checkpoint: it has number 0, size 10"},
		{name: "the note's text", change: func(m *evidencev1.Evidence) {
			m.Note = bytes.Replace(m.Note, []byte("\n10\n"), []byte("\n11\n"), 1)
		}, words: "The signed note can't be read"},
		{name: "the note's signature", change: func(m *evidencev1.Evidence) { m.Note = flip(m.Note, len(m.Note)-20) }, words: "The signed note"},
		{name: "the note of another log", change: func(m *evidencev1.Evidence) { m.Note, m.Keys = h.elsewhere.Note, h.elsewhere.Keys }, words: "The signed note is of log"},
		{name: "the note of another checkpoint", change: func(m *evidencev1.Evidence) { m.Note = h.later.Note }, words: "The signed note is of another checkpoint: it has number 1"},
		{name: "a key", change: func(m *evidencev1.Evidence) { m.Keys = []string{"none"} }, words: "A key that this file names can't be read"},
		{name: "the receipt's network", change: func(m *evidencev1.Evidence) {
			edit(m.Entries[0], func(ev *logv1.Event) { ev.GetGenesis().Anchor.Network = "Elsewhere" })
		}, words: "The anchor receipt does not fit: "},
		{name: "the receipt's transaction", change: func(m *evidencev1.Evidence) {
			m.Receipt.TransactionHash = flip(m.Receipt.TransactionHash, 0)
		}, words: "The anchor receipt does not fit: "},
		{name: "the receipt's envelope", change: func(m *evidencev1.Evidence) {
			m.Receipt.Envelope = flip(m.Receipt.Envelope, len(m.Receipt.Envelope)/2)
		}, words: "The anchor receipt does not fit: "},
		{name: "the receipt's signature", change: func(m *evidencev1.Evidence) {
			m.Receipt.Envelope = flip(m.Receipt.Envelope, len(m.Receipt.Envelope)-1)
		}, words: "did not sign it"},
		{name: "the receipt's result", change: func(m *evidencev1.Evidence) { m.Receipt.Result = m.Receipt.Result[:5] }, words: "The anchor receipt does not fit: read result"},
		{name: "a path of the receipt", change: func(m *evidencev1.Evidence) {
			m.Receipt.Path = &anchorv1.InclusionPath{TreeSize: 2, Hashes: [][]byte{make([]byte, 32)}}
		}, words: "its path does not lead to"},
		{name: "the receipt of another log", change: func(m *evidencev1.Evidence) { m.Receipt = h.elsewhere.Receipt }, words: "its transaction is of log"},
		{name: "the receipt of another checkpoint", change: func(m *evidencev1.Evidence) { m.Receipt = h.later.Receipt }, words: "its transaction is of checkpoint 1"},
		{name: "the receipt's ledger", change: func(m *evidencev1.Evidence) { m.Receipt.Ledger++ }, onLedger: true, words: "The anchor receipt says ledger"},
		{name: "the receipt's time", change: func(m *evidencev1.Evidence) { m.Receipt.ClosedAt -= 3600 }, onLedger: true, words: "The anchor receipt says ledger"},
	}
}

// nodesOf is what somebody who has both files can prove with: the nodes that are in
// one of them, or that their entries give.
func nodesOf(a, b *evidencev1.Evidence, offsets ...uint64) []byte {
	const size = 10
	known := map[span][]byte{}
	for _, m := range []*evidencev1.Evidence{a, b} {
		all := entriesOf(m)
		for i, s := range needed(all, size) {
			if (i+1)*32 <= len(m.GetNodes()) {
				known[s] = m.GetNodes()[i*32 : (i+1)*32]
			}
		}
	}
	var nodes []byte
	for _, s := range needed(offsets, size) {
		node := known[s]
		if node == nil {
			node = make([]byte, 32)
		}
		nodes = append(nodes, node...)
	}
	return nodes
}

func entriesOf(m *evidencev1.Evidence) (list []uint64) {
	for _, e := range m.GetEntries() {
		list = append(list, e.GetStreamOffset())
	}
	return list
}

// Each forgery is told by the step that should tell it, and lowers the verdict to none.
func TestForgeriesAreTold(t *testing.T) {
	t.Parallel()
	h := newHonest(t)
	for _, m := range []*evidencev1.Evidence{h.first, h.second, h.later, h.elsewhere} {
		f := must(Parse(must(encode(m))(t)))(t)
		r := f.Check(Trusted{Contract: h.ledger.contract.ID()})
		wantSteps(t, r, Claimed, map[State][]string{Stated: {"commits the root " + f.Checkpoint().Root.String()}})
		h.ask(t, f, r)
		wantSteps(t, r, Anchored, map[State][]string{Proven: {"The ledger was asked: contract " + h.ledger.contract.ID() + " has the root"}})
		look := f.LookUp()
		if look.Root != f.Checkpoint().Root || look.LogID != f.LogID() || look.Ledger == 0 || look.Where.GetContract() != h.ledger.contract.ID() {
			t.Errorf("to look up: %+v", look)
		}
		if r := f.Check(Trusted{Contract: "CA"}); len(r.Findings()) != 1 || r.Findings()[0].Code != CodeContract {
			t.Errorf("another contract: %v", r.Findings())
		}
	}
	for _, c := range h.forgeries() {
		m := proto.CloneOf(h.first)
		c.change(m)
		f, err := Parse(must(encode(m))(t))
		if c.malformed {
			if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%s: %v, want %q", c.name, err, c.words)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		r := f.Check(Trusted{})
		if c.onLedger {
			if r.Rung() != Claimed {
				t.Errorf("%s: %s, %v", c.name, r.Rung(), r.Findings())
			}
			h.ask(t, f, r)
		}
		wantFinding(t, c, r)
	}
	h.missing(t)
}

func wantFinding(t *testing.T, c forgery, r *Report) {
	t.Helper()
	if r.Rung() != Nothing {
		t.Errorf("%s: %s", c.name, r.Rung())
	}
	for _, f := range r.Findings() {
		if strings.Contains(f.Text, c.words) {
			return
		}
	}
	t.Errorf("%s: %v, want %q", c.name, r.Findings(), c.words)
}

func (h *honest) ask(t *testing.T, f *File, r *Report) {
	t.Helper()
	if err := f.Ask(t.Context(), h.ledger.contract, [][32]byte{contracts.Hash}, r); err != nil {
		t.Fatal(err)
	}
}

// missing pieces are said, and lower the rung.
func (h *honest) missing(t *testing.T) {
	t.Helper()
	m := proto.CloneOf(h.first)
	m.Receipt = nil
	f := must(Parse(must(encode(m))(t)))(t)
	r := f.Check(Trusted{})
	wantSteps(t, r, Sealed, map[State][]string{Missing: {"No anchor receipt"}})
	h.ask(t, f, r)
	wantSteps(t, r, Anchored, nil)

	m.Note, m.Keys = nil, nil
	wantSteps(t, must(Parse(must(encode(m))(t)))(t).Check(Trusted{}), Sealed, map[State][]string{Missing: {"No anchor receipt", "The checkpoint is not signed"}})

	m = proto.CloneOf(h.first)
	m.Keys = nil
	wantSteps(t, must(Parse(must(encode(m))(t)))(t).Check(Trusted{}), Claimed, map[State][]string{Stated: {"nothing was checked"}})

	if err := f.Ask(t.Context(), h.ledger.contract, nil, r); err != nil || r.Rung() != Nothing {
		t.Errorf("a contract of unknown code: %s, %v", r.Rung(), err)
	}
}

// On ten million entries all but the entries' own bytes fits in 4 KiB: a path of 24
// nodes for each entry, a real receipt, a note with two signatures.
func TestAFileIsSmall(t *testing.T) {
	t.Parallel()
	h := newHonest(t)
	const most = 4 << 10
	for _, c := range []struct{ size, request, response uint64 }{
		{10_000_000, 4_321_234, 4_321_241},
		{10_000_000, 5_592_405, 9_437_183},
		{1<<24 - 1, 5_592_405, 5_592_406},
	} {
		m := proto.CloneOf(h.second)
		m.Subject = c.request
		m.Entries[1].StreamOffset, m.Entries[2].StreamOffset, m.Checkpoint.StreamOffset = c.request, c.response, c.size
		edit(m.Checkpoint, func(ev *logv1.Event) {
			k := ev.GetCheckpoint()
			k.CheckpointId, k.FirstOffset, k.LastOffset, k.OutputCount = c.size/1000, c.size-1000, c.size-1, 500
		})
		m.Nodes = make([]byte, 32*len(needed([]uint64{0, c.request, c.response}, c.size)))
		signature := m.Note[bytes.LastIndexByte(m.Note[:len(m.Note)-1], '\n')+1:]
		m.Note = append(append(m.Note[:len(m.Note):len(m.Note)], signature...), "10000000 1000 "...)
		m.Keys = append(m.Keys, m.Keys...)
		raw := must(encode(m))(t)
		rest := len(raw)
		for _, e := range m.Entries {
			rest -= len(e.GetRawEventBytes())
		}
		t.Logf("a tree of %d entries: %d octets beside the entries, %d of them Merkle nodes, %d receipt, %d note",
			c.size, rest, len(m.Nodes), proto.Size(m.Receipt), len(m.Note))
		if rest > most {
			t.Errorf("a tree of %d entries: %d octets, want at most %d", c.size, rest, most)
		}
	}
}

// FuzzParse: whatever a file holds, it is refused, or read as it was written and checked.
func FuzzParse(f *testing.F) {
	for _, m := range []*evidencev1.Evidence{
		{}, {Entries: []*evidencev1.Entry{{RawEventBytes: []byte{1}}}, Divergence: &evidencev1.Divergence{Reason: "r"}},
		seed(), seedDivergence(),
	} {
		raw, err := encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw[len(magic) : len(raw)-crc32.Size])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		raw := seal(append([]byte(magic), body...))
		file, err := Parse(raw)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("refused with %v", err)
			}
			return
		}
		if !bytes.Equal(file.Bytes(), raw) || !bytes.Equal(must(encode(file.m))(t), raw) {
			t.Error("it is read as it was not written")
		}
		if r := file.Check(Trusted{}); r.Rung() == Nothing == (len(r.Findings()) == 0) {
			t.Errorf("%s with findings %v", r.Rung(), r.Findings())
		}
		file.LookUp()
		file.Outputs()
		file.Entries()
	})
}

// seed is a file of a log of two entries, whose checkpoint names no root that fits.
func seed() *evidencev1.Evidence {
	entry := func(offset uint64, ev *logv1.Event) *evidencev1.Entry {
		ev.WallClockMs = uint64(time.Now().UnixMilli())
		raw, err := proto.Marshal(ev)
		if err != nil {
			panic(err) // it holds nothing that could not be written
		}
		return &evidencev1.Entry{StreamOffset: offset, PrevEntryHash: make([]byte, 32), RawEventBytes: raw}
	}
	id := make([]byte, 32)
	return &evidencev1.Evidence{
		Subject: 1, Nodes: make([]byte, 64), Note: []byte("n"), Keys: []string{"k"}, Receipt: &evidencev1.Receipt{Ledger: 1, Envelope: []byte{1}},
		Entries: []*evidencev1.Entry{
			entry(0, &logv1.Event{Kind: &logv1.Event_Genesis{Genesis: &logv1.Genesis{LogId: id, Anchor: &logv1.Anchor{Network: "n", Contract: "C"}}}}),
			entry(1, &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: 1, Output: []byte{8, 1}}}}),
		},
		Checkpoint: entry(2, &logv1.Event{Kind: &logv1.Event_Checkpoint{Checkpoint: &logv1.Checkpoint{LastOffset: 1, MerkleRoot: id}}}),
	}
}

func seedDivergence() *evidencev1.Evidence {
	m := seed()
	m.Divergence = &evidencev1.Divergence{ReplayedOutput: []byte{8, 2}, Reason: "r", ReplayedMs: 1}
	return m
}

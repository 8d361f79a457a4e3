package evidence

import (
	"errors"
	"fmt"
	"slices"

	evidencev1 "verbatim/proto/verbatim/evidence/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// File is evidence that was read, or made. Nobody changes it.
type File struct {
	m   *evidencev1.Evidence
	raw []byte
	// entries are the genesis and those of the exchange, ascending.
	entries    []item
	proofs     [][]chain.Hash // of entries
	checkpoint item
	exchange
}

// item is an entry and what is in it.
type item struct {
	auditlog.Entry
	kind  auditlog.Kind
	event *logv1.Event
}

// exchange is what the entries are to each other: a request, its parts, its outcome;
// or another entry alone. What is not there is nil.
type exchange struct {
	request, outcome, other *item
	parts                   []*item
}

// open takes a message apart, and refuses what can't be checked.
func open(m *evidencev1.Evidence, raw []byte) (*File, error) {
	f := &File{m: m, raw: raw}
	if err := f.openCheckpoint(); err != nil {
		return nil, err
	}
	offsets := make([]uint64, 0, len(m.GetEntries()))
	for _, each := range m.GetEntries() {
		e, err := openEntry(each)
		if err != nil {
			return nil, err
		}
		if len(offsets) > 0 && e.Offset <= offsets[len(offsets)-1] {
			return nil, fmt.Errorf("its entries are not in order: %d follows %d", e.Offset, offsets[len(offsets)-1])
		}
		if e.Offset >= f.checkpoint.Offset {
			return nil, fmt.Errorf("its entry %d is not covered by its checkpoint, which stands at %d", e.Offset, f.checkpoint.Offset)
		}
		offsets = append(offsets, e.Offset)
		f.entries = append(f.entries, e)
	}
	if len(offsets) == 0 || offsets[0] != 0 || f.entries[0].kind != auditlog.KindGenesis {
		return nil, errors.New("it does not hold the log's genesis")
	}
	if !slices.Contains(offsets, m.GetSubject()) {
		return nil, fmt.Errorf("it does not hold entry %d, of which it is said to be", m.GetSubject())
	}
	if err := f.openExchange(); err != nil {
		return nil, err
	}
	var err error
	f.proofs, err = unpack(offsets, f.checkpoint.Offset, m.GetNodes())
	return f, err
}

func (f *File) openCheckpoint() (err error) {
	if f.m.GetCheckpoint() == nil {
		return errors.New("it holds no checkpoint")
	}
	if f.checkpoint, err = openEntry(f.m.GetCheckpoint()); err != nil {
		return err
	}
	c := f.checkpoint.event.GetCheckpoint()
	if c == nil {
		return fmt.Errorf("its checkpoint, at %d, is a %s", f.checkpoint.Offset, f.checkpoint.kind)
	}
	if _, ok := chain.FromBytes(c.GetMerkleRoot()); !ok {
		return fmt.Errorf("its checkpoint, at %d, has no Merkle root", f.checkpoint.Offset)
	}
	return nil
}

func openEntry(m *evidencev1.Entry) (item, error) {
	prev, ok := chain.FromBytes(m.GetPrevEntryHash())
	if m.GetStreamOffset() == 0 {
		ok = len(m.GetPrevEntryHash()) == 0 // it is 32 zero bytes
	}
	if !ok {
		return item{}, fmt.Errorf("its entry %d has a previous hash of %d octets", m.GetStreamOffset(), len(m.GetPrevEntryHash()))
	}
	e := item{Entry: auditlog.Entry{Offset: m.GetStreamOffset(), PrevEntryHash: prev, Raw: m.GetRawEventBytes()}}
	var err error
	if e.event, err = e.Event(); err != nil {
		return item{}, fmt.Errorf("its entry %d can't be read: %w", e.Offset, err)
	}
	if e.kind, _, err = auditlog.Peek(e.Raw); err != nil || e.event.GetKind() == nil {
		return item{}, fmt.Errorf("its entry %d is of a kind that is not known", e.Offset)
	}
	return e, nil
}

// openExchange refuses entries that have nothing to do with each other.
func (f *File) openExchange() error {
	for i := range f.entries {
		e := &f.entries[i]
		place := &f.other
		switch e.kind {
		case auditlog.KindRequest:
			place = &f.request
		case auditlog.KindResponse, auditlog.KindAbort:
			place = &f.outcome
		case auditlog.KindRequestPart, auditlog.KindResponsePart:
			f.parts = append(f.parts, e)
			continue
		case auditlog.KindGenesis:
			if e.Offset == 0 && f.m.GetSubject() != 0 {
				continue
			}
		}
		if *place != nil {
			return fmt.Errorf("its entries %d and %d are not of one exchange", (*place).Offset, e.Offset)
		}
		*place = e
	}
	inExchange := f.request != nil || f.outcome != nil || len(f.parts) > 0
	if f.other != nil && inExchange {
		return fmt.Errorf("its entry %d is not of one exchange with the others", f.other.Offset)
	}
	if f.m.GetSubject() == 0 && len(f.entries) > 1 {
		return errors.New("it is said to be of the genesis, and holds other entries")
	}
	if f.m.GetDivergence() != nil && f.response() == nil {
		return errors.New("it is said to be of a divergence, and holds no response")
	}
	return nil
}

// response is the outcome if it is one, else nil.
func (x *exchange) response() *logv1.Response {
	if x.outcome == nil {
		return nil
	}
	return x.outcome.event.GetResponse()
}

// requestOffset is the request that an outcome or a part belongs to.
func (e *item) requestOffset() uint64 {
	var s auditlog.Summary
	if s.Summarize(e.Raw) != nil {
		return 0
	}
	return s.RequestOffset
}

// LogID is the log's id, by the genesis in the file.
func (f *File) LogID() chain.Hash {
	id, _ := chain.FromBytes(f.entries[0].event.GetGenesis().GetLogId())
	return id
}

// Anchor is where the log is anchored, by the genesis in the file; nil: nowhere.
func (f *File) Anchor() *logv1.Anchor { return f.entries[0].event.GetGenesis().GetAnchor() }

// Checkpoint is the one that covers the entries. Its root is their way to whoever
// vouches for them.
func (f *File) Checkpoint() auditlog.CheckpointAt {
	return auditlog.CheckpointAt{
		Offset: f.checkpoint.Offset, ClockMS: f.checkpoint.event.GetWallClockMs(),
		Root: f.checkpoint.Hash(), Checkpoint: f.checkpoint.event.GetCheckpoint(),
	}
}

// Entries are those of the exchange, without the genesis unless the file is of it.
func (f *File) Entries() []auditlog.Entry {
	var list []auditlog.Entry
	for _, e := range f.entries {
		if e.Offset > 0 || f.m.GetSubject() == 0 {
			list = append(list, e.Entry)
		}
	}
	return list
}

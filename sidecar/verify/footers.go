package verify

import (
	"errors"
	"slices"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// footers recomputes what checkpoints claim, from the entries alone.
type footers struct {
	interval uint64
	tree     *chain.Tree
	outputs  chain.Root
	// What is not in these two yet: settle.
	leaves  []chain.Hash
	pending *chain.Batch
	hashes  []chain.Hash
	first   uint64 // of the window
	nextID  uint64
	open    openRequests
	clockMS uint64
	overdue bool // said already
	stored  *stored
	summary auditlog.Summary
	// The tree before the newest checkpoint.
	sealedNodes [][]byte
}

func newFooters(interval uint64, s *stored) *footers {
	return &footers{
		interval: interval, tree: chain.NewTree(), pending: chain.NewBatch(), open: openRequests{more: map[uint64]*openRequest{}}, stored: s,
	}
}

// base sets the tree of what is before the first entry to be checked.
func (f *footers) base(r *Report, p *Point) {
	tree, err := chain.RestoreTree(p.Offset, p.Nodes)
	if err != nil {
		r.add(p.Offset, CodeTree, "the tree of the entries before it can't be made: %v", err)
		return
	}
	f.tree, f.first = tree, p.Offset
}

// entry takes an entry into account whose link to the one before was checked. It
// returns a checkpoint. first: it is where a log was cut, or a verification goes on.
func (f *footers) entry(r *Report, e *auditlog.Entry, hash chain.Hash, first bool) *auditlog.CheckpointAt {
	s := &f.summary
	if err := s.Summarize(e.Raw); err != nil {
		r.add(e.Offset, CodeUndecodable, "%v", err)
		*s = auditlog.Summary{}
	}
	if s.ClockMS < f.clockMS {
		r.add(e.Offset, CodeClock, "the clock goes back from %d to %d", f.clockMS, s.ClockMS)
	} else {
		f.clockMS = s.ClockMS
	}
	if e.Offset == 0 {
		f.stored.begin(0, s.ClockMS)
	}
	if (e.Offset == 0) != (s.Kind == auditlog.KindGenesis) {
		r.add(e.Offset, CodeGenesis, "a log has one genesis, at offset 0")
	}
	var at *auditlog.CheckpointAt
	switch s.Kind {
	case auditlog.KindCheckpoint, auditlog.KindStart:
		at = f.decoded(r, e, hash, first)
	default:
		if s.Spans {
			ignored(r, e)
		}
		if e.Offset-f.first >= f.interval && !f.overdue {
			r.add(e.Offset, CodeUnsealed, "the window from %d on is full, and no checkpoint seals it", f.first)
			f.overdue = true
		}
	}
	if first && at == nil {
		r.add(e.Offset, CodeCut, "the log begins here, and this is no checkpoint")
	}
	f.stored.terms.Add(e.Offset, s.Kind, s.Status, f.event(r, e.Offset, s))
	f.leaves = append(f.leaves, hash)
	return at
}

// settle brings the tree and the outputs up to the newest entry. Many hashes at once
// are computed faster than one by one.
func (f *footers) settle(r *Report) {
	f.tree.AddAll(f.leaves, func(id chain.NodeID, hash chain.Hash) { f.stored.node(r, id, hash) })
	f.leaves = f.leaves[:0]
	f.hashes = f.pending.Sum(f.hashes[:0])
	f.outputs.AddAll(f.hashes)
}

// decoded looks at the events of which more than a summary is checked.
func (f *footers) decoded(r *Report, e *auditlog.Entry, hash chain.Hash, first bool) *auditlog.CheckpointAt {
	ev, err := e.Event()
	if err != nil {
		r.add(e.Offset, CodeUndecodable, "%v", err)
		ev = &logv1.Event{}
	}
	if start := ev.GetStart(); start != nil {
		policies(r, e.Offset, start)
	}
	c := ev.GetCheckpoint()
	if c == nil {
		return nil
	}
	f.settle(r)
	if first {
		f.begin(r, e.Offset, c)
	} else {
		f.checkpoint(r, e.Offset, c)
	}
	f.sealedNodes = f.tree.Nodes()
	f.stored.begin(e.Offset, ev.GetWallClockMs())
	return &auditlog.CheckpointAt{Offset: e.Offset, ClockMS: ev.GetWallClockMs(), Root: hash, Checkpoint: c}
}

// begin takes over from what is before a checkpoint and is not checked now.
func (f *footers) begin(r *Report, offset uint64, c *logv1.Checkpoint) {
	if f.tree.Root() != bytesToHash(c.GetMerkleRoot()) {
		r.add(offset, CodeTree, "the Merkle nodes of the entries before it do not give its merkle root, %x", c.GetMerkleRoot())
	}
	f.nextID, f.stored.window = c.GetCheckpointId()+1, c.GetCheckpointId()+1
	for _, o := range c.GetOpenRequests() {
		if f.open.at(o) != nil {
			continue // the checkpoint is not what the honest one was, and said to be so
		}
		request := f.open.add(o)
		e, err := f.stored.view.Entry(o)
		switch {
		case errors.Is(err, auditlog.ErrPruned):
			request.pruned = true
		case err == nil:
			var s auditlog.Summary
			if err = s.Summarize(e.Raw); err == nil {
				f.meters(request, &s)
			}
		}
		if err != nil && !request.pruned {
			r.add(o, CodeUnreadable, "this request was open at %d, and can't be read: %v", offset, err)
		}
	}
}

// meters sets the meters of a request.
func (f *footers) meters(request *openRequest, s *auditlog.Summary) {
	for _, id := range s.Meters {
		request.meters = append(request.meters, f.stored.terms.Meter(id))
	}
	if len(request.meters) > 1 { // perhaps one is named twice
		slices.Sort(request.meters)
		request.meters = slices.Compact(request.meters)
	}
}

// event takes an event into account, and returns the meters that it belongs to, good
// until the next event.
func (f *footers) event(r *Report, offset uint64, s *auditlog.Summary) []auditlog.MeterHash {
	switch s.Kind {
	case auditlog.KindRequest:
		r.Requests++
		request := f.open.add(offset)
		f.meters(request, s)
		return request.meters
	case auditlog.KindRequestPart, auditlog.KindResponsePart:
		return f.belongs(r, offset, s.RequestOffset)
	case auditlog.KindResponse:
		r.Responses++
		f.pending.Event(s.Output)
		return f.outcome(r, offset, s.RequestOffset)
	case auditlog.KindAbort:
		r.Aborts++
		return f.outcome(r, offset, s.RequestOffset)
	case auditlog.KindGap:
		r.Gaps++
	case 0:
		r.add(offset, CodeUndecodable, "the entry holds no event of this format")
	}
	return nil
}

func (f *footers) belongs(r *Report, offset, request uint64) []auditlog.MeterHash {
	o := f.open.at(request)
	if o == nil {
		r.add(offset, CodeOutcome, "it belongs to request %d, which is none, or has its outcome already", request)
		return nil
	}
	if o.pruned {
		f.stored.orphan(offset)
	}
	return o.meters
}

func (f *footers) outcome(r *Report, offset, request uint64) []auditlog.MeterHash {
	meters := f.belongs(r, offset, request)
	if o := f.open.at(request); o != nil {
		if o.pruned {
			r.OfPruned++
		}
		f.open.end(o)
	}
	return meters
}

// checkpoint compares a footer with its window.
func (f *footers) checkpoint(r *Report, offset uint64, c *logv1.Checkpoint) {
	f.window(r, offset, c)
	if root := f.outputs.Sum(); root != bytesToHash(c.GetOutputRoot()) || c.GetOutputCount() != f.outputs.Count() {
		r.add(offset, CodeCheckpoint, "its output root is %x over %d outputs, but the window's is %s over %d",
			c.GetOutputRoot(), c.GetOutputCount(), root, f.outputs.Count())
	}
	if root := f.tree.Root(); root != bytesToHash(c.GetMerkleRoot()) {
		r.add(offset, CodeCheckpoint, "its merkle root is %x, but the entries' is %s", c.GetMerkleRoot(), root)
	}
	if none := chain.EventHash(nil); c.GetEffectCount() != 0 || bytesToHash(c.GetEffectRoot()) != none {
		r.add(offset, CodeCheckpoint, "it claims effects, which this format version does not record")
	}
	f.stored.checkpoint(r, offset, c.GetCheckpointId(), f.tree.Nodes())
	f.first, f.outputs, f.overdue = offset, chain.Root{}, false
	f.nextID = c.GetCheckpointId() + 1
	r.Checkpoints++
	r.SealedThrough = offset - 1
}

func (f *footers) window(r *Report, offset uint64, c *logv1.Checkpoint) {
	if c.GetCheckpointId() != f.nextID {
		r.add(offset, CodeCheckpoint, "its id is %d, the next is %d: a checkpoint is missing or doubled", c.GetCheckpointId(), f.nextID)
	}
	if c.GetFirstOffset() != f.first || c.GetLastOffset()+1 != offset {
		r.add(offset, CodeCheckpoint, "it claims the window %d to %d, which is %d to %d", c.GetFirstOffset(), c.GetLastOffset(), f.first, offset-1)
	}
	full := offset-f.first == f.interval
	byInterval := c.GetReason() == logv1.SealReason_SEAL_REASON_INTERVAL
	if byInterval != full && (byInterval || offset-f.first > f.interval) {
		r.add(offset, CodeCheckpoint, "it seals %d entries by reason %s; a full window has %d", offset-f.first, c.GetReason(), f.interval)
	}
	open := f.open.offsets()
	if !slices.Equal(open, c.GetOpenRequests()) {
		r.add(offset, CodeCheckpoint, "it names %d open requests, the window leaves %d, or others", len(c.GetOpenRequests()), len(open))
	}
}

// bytesToHash is the zero hash for what is not one, which nothing equals.
func bytesToHash(b []byte) chain.Hash {
	h, _ := chain.FromBytes(b)
	return h
}

package verify

import (
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
	first    uint64 // of the window
	nextID   uint64
	open     map[uint64][]string // requests without an outcome, and their meters
	clockMS  uint64
	overdue  bool // said already
	stored   *stored
}

func newFooters(interval uint64, s *stored) *footers {
	return &footers{interval: interval, tree: chain.NewTree(), open: map[uint64][]string{}, stored: s}
}

// entry takes an entry into account whose link was checked, and decodes it.
func (f *footers) entry(r *Report, e auditlog.Entry, hash chain.Hash) *logv1.Event {
	ev, err := e.Event()
	if err != nil {
		r.add(e.Offset, CodeUndecodable, "%v", err)
	}
	f.event(r, e.Offset, ev)
	if err := f.tree.Add(hash); err != nil {
		r.add(e.Offset, CodeCheckpoint, "%v", err)
	}
	return ev
}

func (f *footers) event(r *Report, offset uint64, ev *logv1.Event) {
	if ms := ev.GetWallClockMs(); ms < f.clockMS {
		r.add(offset, CodeClock, "the clock goes back from %d to %d", f.clockMS, ms)
	} else {
		f.clockMS = ms
	}
	if offset == 0 {
		f.stored.begin(0, ev.GetWallClockMs())
	}
	if (offset == 0) != (ev.GetGenesis() != nil) {
		r.add(offset, CodeGenesis, "a log has one genesis, at offset 0")
	}
	if c := ev.GetCheckpoint(); c != nil {
		f.checkpoint(r, offset, c)
		f.stored.begin(offset, ev.GetWallClockMs())
		f.stored.terms.Add(offset, auditlog.KindCheckpoint, 0, nil)
		return
	}
	if offset-f.first >= f.interval && !f.overdue {
		r.add(offset, CodeUnsealed, "the window from %d on is full, and no checkpoint seals it", f.first)
		f.overdue = true
	}
	kind, status, meters := f.body(r, offset, ev)
	f.stored.terms.Add(offset, kind, status, meters)
}

// body takes what an entry that is no checkpoint records into account, and says
// what it is found by.
func (f *footers) body(r *Report, offset uint64, ev *logv1.Event) (kind auditlog.Kind, status uint32, meters []string) {
	switch k := ev.GetKind().(type) {
	case *logv1.Event_Genesis:
		return auditlog.KindGenesis, 0, nil
	case *logv1.Event_Start:
		policies(r, offset, k.Start)
		return auditlog.KindStart, 0, nil
	case *logv1.Event_Request:
		r.Requests++
		f.open[offset] = k.Request.GetMeterIds()
		return auditlog.KindRequest, 0, k.Request.GetMeterIds()
	case *logv1.Event_RequestPart:
		return auditlog.KindRequestPart, 0, f.belongs(r, offset, k.RequestPart.GetRequestOffset())
	case *logv1.Event_ResponsePart:
		return auditlog.KindResponsePart, 0, f.belongs(r, offset, k.ResponsePart.GetRequestOffset())
	case *logv1.Event_Response:
		r.Responses++
		out := k.Response.GetOutput()
		f.outputs.Add(chain.EventHash(out))
		return auditlog.KindResponse, auditlog.OutputStatus(out), f.outcome(r, offset, k.Response.GetRequestOffset())
	case *logv1.Event_Abort:
		r.Aborts++
		return auditlog.KindAbort, 0, f.outcome(r, offset, k.Abort.GetRequestOffset())
	case *logv1.Event_Gap:
		r.Gaps++
		return auditlog.KindGap, 0, nil
	case *logv1.Event_Prune:
		return auditlog.KindPrune, 0, nil
	}
	r.add(offset, CodeUndecodable, "the entry holds no event of this format")
	return 0, 0, nil
}

// belongs returns the meters of the request that an entry belongs to.
func (f *footers) belongs(r *Report, offset, request uint64) []string {
	meters, ok := f.open[request]
	if !ok {
		r.add(offset, CodeOutcome, "it belongs to request %d, which is none, or has its outcome already", request)
	}
	return meters
}

func (f *footers) outcome(r *Report, offset, request uint64) []string {
	meters := f.belongs(r, offset, request)
	delete(f.open, request)
	return meters
}

// checkpoint compares a footer with its window.
func (f *footers) checkpoint(r *Report, offset uint64, c *logv1.Checkpoint) {
	f.window(r, offset, c)
	if root := f.outputs.Sum(); root != bytesToHash(c.GetOutputRoot()) || c.GetOutputCount() != f.outputs.Count() {
		r.add(offset, CodeCheckpoint, "its output root is %x over %d outputs, but the window's is %s over %d",
			c.GetOutputRoot(), c.GetOutputCount(), root, f.outputs.Count())
	}
	root, err := f.tree.Root()
	if err != nil || root != bytesToHash(c.GetMerkleRoot()) {
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
	open := make([]uint64, 0, len(f.open))
	for o := range f.open {
		open = append(open, o)
	}
	slices.Sort(open)
	if !slices.Equal(open, c.GetOpenRequests()) {
		r.add(offset, CodeCheckpoint, "it names %d open requests, the window leaves %d, or others", len(c.GetOpenRequests()), len(open))
	}
}

// bytesToHash is the zero hash for what is not one, which nothing equals.
func bytesToHash(b []byte) chain.Hash {
	h, _ := chain.FromBytes(b)
	return h
}

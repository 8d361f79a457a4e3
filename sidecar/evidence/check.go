package evidence

import (
	"slices"
	"time"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/checkpoint"
)

// Trusted is what the reader knows.
type Trusted struct {
	// Ring has the keys that the reader takes for good; nil: none.
	Ring *checkpoint.Keyring
	// Contract is the one that the reader expects the log to be anchored on, C…;
	// empty: the one that the log names.
	Contract string
}

// Check checks a file without the network, and explains each step. It ends at CLAIMED.
func (f *File) Check(t Trusted) *Report {
	r := &Report{}
	f.checkEntries(r)
	f.checkCheckpoint(r)
	f.checkProofs(r)
	f.checkExchange(r)
	r.sealed = len(r.findings) == 0
	f.checkNote(r, t.Ring)
	f.checkReceipt(r, t.Contract)
	f.checkDivergence(r)
	return r
}

// when is an entry's clock for people.
func when(ms uint64) string {
	if ms > 253402300799999 { // the last of the year 9999
		return "no time that there is"
	}
	return time.UnixMilli(int64(ms)).UTC().Format("2006-01-02T15:04:05.000Z")
}

func (f *File) checkEntries(r *Report) {
	for i := range f.entries {
		e := &f.entries[i]
		r.add(Proven, "Entry %d is %s, of %s by the log's clock. The SHA-256 of its predecessor's hash, its offset and its %d octets is its entry hash, %s.",
			e.Offset, e.words(), when(e.event.GetWallClockMs()), len(e.Raw), e.Hash())
	}
	if id := f.entries[0].event.GetGenesis().GetLogId(); len(id) != chain.Size {
		r.wrong(0, CodeEntry, "The genesis names no log: its id has %d octets, not %d.", len(id), chain.Size)
	}
}

func (f *File) checkCheckpoint(r *Report) {
	at := f.Checkpoint()
	c := at.Checkpoint
	if at.Offset == 0 || c.GetLastOffset() != at.Offset-1 || c.GetFirstOffset() > c.GetLastOffset() {
		r.wrong(at.Offset, CodeCheckpoint, "Checkpoint %d stands at %d and says that it seals the entries %d to %d: a checkpoint seals those before its own.",
			c.GetCheckpointId(), at.Offset, c.GetFirstOffset(), c.GetLastOffset())
		return
	}
	r.add(Proven, "Checkpoint %d is entry %d, of %s. Its entry hash, computed likewise, is %s: the root that stands for it. It says that the entries 0 to %d make the RFC 6962 tree with the root %x.",
		c.GetCheckpointId(), at.Offset, when(at.ClockMS), at.Root, c.GetLastOffset(), c.GetMerkleRoot())
}

// checkProofs leads each entry to the root that the checkpoint names.
func (f *File) checkProofs(r *Report) {
	size, root := f.checkpoint.Offset, chain.Hash(f.checkpoint.event.GetCheckpoint().GetMerkleRoot())
	for i, e := range f.entries {
		if err := chain.VerifyInclusion(e.Offset, size, e.Hash(), f.proofs[i], root); err != nil {
			r.wrong(e.Offset, CodeEntry, "Entry %d is not in the checkpoint's tree: with its proof of %d nodes its hash does not lead to the root %s of the tree of %d entries.",
				e.Offset, len(f.proofs[i]), root, size)
			continue
		}
		r.add(Proven, "Entry %d is in that tree of %d entries, at index %d: with its proof of %d nodes its hash leads to the same root.",
			e.Offset, size, e.Offset, len(f.proofs[i]))
	}
}

// checkExchange wants the entries to be one exchange, and all of it.
func (f *File) checkExchange(r *Report) {
	request := f.requestOffset()
	for _, e := range append(slices.Clone(f.parts), f.outcome) {
		switch {
		case e == nil:
		case e.requestOffset() != request:
			r.wrong(e.Offset, CodeExchange, "The %s at %d belongs to request %d, not to %d.", e.kind, e.Offset, e.requestOffset(), request)
		case e.Offset <= request:
			r.wrong(e.Offset, CodeExchange, "The %s at %d stands before its request, %d.", e.kind, e.Offset, request)
		case f.request != nil:
			r.add(Proven, "The %s at %d names request %d: they are of one exchange.", e.kind, e.Offset, request)
		}
	}
	switch {
	case f.other != nil || f.m.GetSubject() == 0:
	case f.request == nil:
		r.add(Missing, "Request %d, to which this belongs, is not in this file: it was pruned, or is kept back. What was asked is not proven.", request)
	default:
		f.checkWhole(r)
	}
}

// requestOffset is of the request that the entries belong to, as the first says.
func (f *File) requestOffset() uint64 {
	switch {
	case f.request != nil:
		return f.request.Offset
	case f.outcome != nil:
		return f.outcome.requestOffset()
	case len(f.parts) > 0:
		return f.parts[0].requestOffset()
	}
	return 0
}

// checkWhole wants nothing of an exchange to be kept back.
func (f *File) checkWhole(r *Report) {
	offset, c := f.request.Offset, f.checkpoint.event.GetCheckpoint()
	open := slices.Contains(c.GetOpenRequests(), offset)
	switch {
	case f.outcome == nil && open:
		r.add(Proven, "Request %d has no outcome in the entries 0 to %d: checkpoint %d lists it as open.", offset, c.GetLastOffset(), c.GetCheckpointId())
	case f.outcome == nil:
		r.wrong(offset, CodeExchange, "Request %d has an outcome in the entries 0 to %d, as checkpoint %d does not list it as open, and this file keeps it back.",
			offset, c.GetLastOffset(), c.GetCheckpointId())
	case open:
		r.wrong(offset, CodeExchange, "Checkpoint %d lists request %d as open, and its outcome stands before, at %d.", c.GetCheckpointId(), offset, f.outcome.Offset)
	}
	if f.request.event.GetRequest().GetTrailersFollow() && f.response() != nil && !f.hasTrailers() {
		r.wrong(offset, CodeExchange, "Request %d says that its trailers follow, and this file keeps them back.", offset)
	}
	f.checkStream(r)
}

func (f *File) hasTrailers() bool {
	return slices.ContainsFunc(f.parts, func(e *item) bool { return len(e.event.GetRequestPart().GetTrailers()) > 0 })
}

// kinds in words.
var kindWords = map[auditlog.Kind]string{
	auditlog.KindGenesis: "the genesis", auditlog.KindStart: "a start", auditlog.KindRequestPart: "a part of a request",
	auditlog.KindResponsePart: "a part of a response", auditlog.KindGap: "a gap", auditlog.KindCheckpoint: "a checkpoint",
	auditlog.KindPrune: "a prune entry",
}

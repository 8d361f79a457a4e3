package replay

import (
	"slices"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/output"
)

// ending is how a recorded request ended.
type ending int

const (
	unanswered   ending = iota // no outcome up to the tip
	answered                   // by the pipeline
	notDelivered               // the pipeline never got it
	unfinished                 // the pipeline may have got it, and did not answer
)

// exchange is one selected request and its outcome.
type exchange struct {
	offset  uint64
	parts   []uint64 // entries with the rest of the request
	meters  []string
	ending  ending
	local   bool   // Envoy answered
	warm    bool   // it is not selected: it is sent, and not compared
	seen    bool   // recorded in profile observe: when it was in the pipeline is only roughly known
	ignore  []byte // the ignore policy in force, as its Start sealed it; nil: none did
	outcome uint64 // offset of the Response or Abort
	clockMS uint64 // of the request's entry
	endedMS uint64 // of the outcome's
	hash    chain.Hash
	stream  *stream // nil: it was not recorded in parts
}

// compares says that a replay's answer is set against the recorded one.
func (x *exchange) compares() bool { return x.ending == answered && !x.warm && !x.unsendable() }

// fromRecord says that an answer counts as it was recorded: Envoy's own, and one to a
// request that can't be sent again.
func (x *exchange) fromRecord() bool {
	return !x.warm && (x.local || x.ending == answered && x.unsendable())
}

// answeredAt is one Response of a window, in chain order.
type answeredAt struct {
	offset uint64
	hash   chain.Hash
}

// sealedWindow is a window that a checkpoint seals.
type sealedWindow struct {
	checkpoint *logv1.Checkpoint
	responses  []answeredAt
}

// plan is what a replay has to do, gathered while the links are checked. It
// holds some hundred bytes a request, no bodies.
type plan struct {
	meters    []string // requests of any of these; empty: all
	from      uint64   // the first offset of a request
	behind    uint64   // the offset behind the last
	warmFrom  *uint64  // from here on what is not selected is sent, too; nil: it is not
	exchanges []*exchange
	windows   []sealedWindow
	starts    []*auditv1.StartInRange
	entries   uint64 // that were added
	ignore    []byte // the ignore policy in force now, as its Start sealed it
	protocol  string // of the pipeline, as the last Start sealed it
	upstream  bool   // behind the router, as the last Start says: each attempt is an exchange
	observe   bool   // the profile that the last Start says
	doubts    []doubt
	gaps      []doubt
	unsent    []uint64 // requests that were in the pipeline and are not sent
	pruned    uint64   // as many offsets are gone
	firstMS   uint64
	lastMS    uint64

	open    map[uint64]*exchange // selected requests without an outcome
	others  map[uint64]bool      // the same of those that are not sent
	current []answeredAt
}

func newPlan(meters []string, from, behind uint64) *plan {
	return &plan{meters: meters, from: from, behind: behind, open: map[uint64]*exchange{}, others: map[uint64]bool{}}
}

// add takes one verified entry into account.
func (p *plan) add(e auditlog.Entry, ev *logv1.Event) {
	p.entries++
	switch k := ev.GetKind().(type) {
	case *logv1.Event_Start:
		p.start(e.Offset, k.Start)
	case *logv1.Event_Request:
		p.request(e.Offset, ev.GetWallClockMs(), k.Request)
	case *logv1.Event_RequestPart:
		p.requestPart(e, ev.GetWallClockMs(), k.RequestPart)
	case *logv1.Event_ResponsePart:
		p.responsePart(e, ev.GetWallClockMs(), k.ResponsePart)
	case *logv1.Event_Response:
		p.response(e.Offset, ev.GetWallClockMs(), k.Response)
	case *logv1.Event_Abort:
		x := p.end(e.Offset, ev.GetWallClockMs(), k.Abort.GetRequestOffset(), endingOf(k.Abort.GetDelivered()))
		if x != nil && x.stream != nil {
			x.stream.cause = k.Abort.GetCause()
		}
	case *logv1.Event_Gap:
		p.gap(e.Offset, ev.GetWallClockMs(), k.Gap)
	case *logv1.Event_Checkpoint:
		p.windows = append(p.windows, sealedWindow{checkpoint: k.Checkpoint, responses: p.current})
		p.current = nil
	}
}

func endingOf(d logv1.Delivered) ending {
	if d == logv1.Delivered_DELIVERED_NO {
		return notDelivered
	}
	return unfinished
}

// start keeps the Starts in the range, and the last one before it.
func (p *plan) start(offset uint64, s *logv1.Start) {
	if offset >= p.behind {
		return
	}
	if offset <= p.from {
		p.starts = nil
	}
	p.starts = append(p.starts, &auditv1.StartInRange{Offset: offset, Pipeline: s.GetPipeline(), PipelineClock: s.GetPipelineClock()})
	p.ignore, p.protocol = s.GetIgnorePolicy().GetText(), s.GetPipeline().GetProtocol()
	p.upstream = s.GetPosition() == logv1.Position_POSITION_UPSTREAM
	p.observe = s.GetProfile() == logv1.Profile_PROFILE_OBSERVE
}

func (p *plan) request(offset, clockMS uint64, r *logv1.Request) {
	selected := offset >= p.from && offset < p.behind && p.selects(r.GetMeterIds())
	if !selected && (p.warmFrom == nil || offset < *p.warmFrom || offset >= p.behind) {
		p.others[offset] = true
		return
	}
	x := &exchange{offset: offset, meters: r.GetMeterIds(), ignore: p.ignore, clockMS: clockMS, warm: !selected, seen: p.observe}
	if r.GetStream() {
		x.inStream(clockMS).inParts = true
	}
	p.open[offset] = x
	p.exchanges = append(p.exchanges, x)
	if x.warm {
		return
	}
	if p.firstMS == 0 {
		p.firstMS = clockMS
	}
	p.lastMS = clockMS
}

// selects says whether a request of these meters is meant.
func (p *plan) selects(ids []string) bool {
	return len(p.meters) == 0 || slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(p.meters, id) })
}

func (p *plan) response(offset, clockMS uint64, r *logv1.Response) {
	hash := chain.EventHash(r.GetOutput())
	p.current = append(p.current, answeredAt{offset, hash})
	how := answered
	if local := r.GetLocalReply(); local != nil {
		how = endingOf(local.GetDelivered())
	}
	if n := r.GetAttemptCount(); n > 1 && !p.upstream && how != notDelivered {
		p.doubts = append(p.doubts, doubt{offset: r.GetRequestOffset(), attempts: n})
	}
	if x := p.end(offset, clockMS, r.GetRequestOffset(), how); x != nil {
		x.hash, x.local = hash, r.GetLocalReply() != nil
		if _, streamed := output.StreamOctets(r.GetOutput()); streamed {
			x.inStream(clockMS).digested = true
		}
	}
}

// end closes a request; nil if it is not sent.
func (p *plan) end(offset, clockMS, request uint64, how ending) *exchange {
	if how == unfinished {
		p.doubts = append(p.doubts, doubt{offset: request})
	}
	if p.others[request] && how != notDelivered {
		p.unsent = append(p.unsent, request)
	}
	delete(p.others, request)
	x := p.open[request]
	if x == nil {
		return nil
	}
	delete(p.open, request)
	x.outcome, x.endedMS, x.ending = offset, clockMS, how
	if x.stream != nil {
		x.inStream(clockMS)
	}
	if x.unsendable() && how != notDelivered {
		p.doubts = append(p.doubts, doubt{offset: request, unsent: true})
	}
	if !x.warm {
		p.lastMS = max(p.lastMS, clockMS)
	}
	return x
}

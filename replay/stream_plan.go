package replay

import (
	"math"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// stream is what a plan holds of an exchange that was recorded in parts: where
// they are, no octets.
type stream struct {
	inParts   bool             // the request
	parts     []requestPart    // of the request
	ended     bool             // the last of them is there
	omitted   bool             // octets of the request were not kept
	cause     logv1.AbortCause // why there is no answer
	octets    uint64           // of the answer, as far as it came
	digested  bool             // the recorded output has count and digest in its body's place
	first     []uint64         // the ResponseParts with the answer's first octets
	turnEnded uint64           // where the exchange gave its turn back; 0: at its end
	began     uint64           // clock of the request
	newest    uint64           // of the newest of its entries
	pause     uint64           // the longest time between two of them, in milliseconds

	replayed []byte // the first octets of a body that differs; set by the run
}

// requestPart is one RequestPart.
type requestPart struct {
	offset uint64
	after  uint64 // octets of the answer that stand before it in the chain
}

// inStream is x's stream, begun if there is none yet.
func (x *exchange) inStream(clockMS uint64) *stream {
	if x.stream == nil {
		x.stream = &stream{began: clockMS, newest: clockMS}
	}
	x.stream.pause = max(x.stream.pause, clockMS-x.stream.newest)
	x.stream.newest = clockMS
	return x.stream
}

// requestPart takes a piece of a selected request into account.
func (p *plan) requestPart(e auditlog.Entry, clockMS uint64, part *logv1.RequestPart) {
	x := p.open[part.GetRequestOffset()]
	switch {
	case x == nil:
	case x.stream == nil || !x.stream.inParts:
		x.parts = append(x.parts, e.Offset)
	default:
		s := x.inStream(clockMS)
		s.parts = append(s.parts, requestPart{offset: e.Offset, after: s.octets})
		s.ended = s.ended || part.GetLast()
		s.omitted = s.omitted || part.GetOmitted() != nil
	}
}

// responsePart takes a piece of an answer to a selected request into account.
func (p *plan) responsePart(e auditlog.Entry, clockMS uint64, part *logv1.ResponsePart) {
	x := p.open[part.GetRequestOffset()]
	if x == nil {
		return
	}
	s := x.inStream(clockMS)
	if len(part.GetData()) > 0 && s.octets < shownOctets {
		s.first = append(s.first, e.Offset)
	}
	s.octets += uint64(len(part.GetData())) + part.GetOmitted().GetOctets()
	if part.GetTurnEnded() && s.turnEnded == 0 {
		s.turnEnded = e.Offset
	}
}

// unsendable says that a replay does not have all octets of the request.
func (x *exchange) unsendable() bool { return x.stream != nil && x.stream.omitted }

// breakOff is when the client goes away: after so many octets of the answer, or
// nil: it waits for the answer's end. An answer that had begun and was cut off by
// anyone but the pipeline may have none.
func (x *exchange) breakOff() *uint64 {
	s, never := x.stream, uint64(math.MaxUint64)
	cut := s.inParts && !s.ended
	switch {
	case x.ending == answered && cut:
		return &never // the pipeline answered before the request was whole
	case x.ending == answered:
		return nil
	case cut, s.cause == logv1.AbortCause_ABORT_CAUSE_CLIENT_GONE,
		s.octets > 0 && s.cause != logv1.AbortCause_ABORT_CAUSE_PIPELINE_RESET:
		return &s.octets
	}
	return nil
}

// slowdown is how much longer than when it was recorded a stream may take.
const slowdown = 10

// bounds are how long a stream may take, and how long nothing may happen in it,
// where timeout bounds what comes at once: it may pause as it did.
func (s *stream) bounds(timeout time.Duration) (whole, idle time.Duration) {
	ms := func(n uint64) time.Duration { return time.Duration(min(n, math.MaxInt32)) * time.Millisecond }
	return timeout + slowdown*ms(s.newest-s.began), timeout + ms(s.pause)
}

// turnsEnded counts the selected streams that gave their turn back before their end.
func (p *plan) turnsEnded() (n int) {
	for _, x := range p.exchanges {
		if x.stream != nil && x.stream.turnEnded > 0 {
			n++
		}
	}
	return n
}

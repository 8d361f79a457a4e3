package replay

import (
	"cmp"
	"fmt"
	"slices"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/verify"
)

// doubt is something that the pipeline may have got and that a replay can't
// give it again as it was: a request without an answer, one that Envoy sent more
// than once, or unrecorded traffic. It can explain any difference that comes
// later, also if it is not selected. So can a request that got no answer in the
// replay itself: the pipeline may still be at work on it.
type doubt struct {
	offset   uint64
	attempts uint32 // of a request that Envoy sent more than once
	unsent   bool   // its octets were not kept, so that it could not be sent again
	// Of a gap: since when, until when, and how much passed.
	gap              bool
	sinceMS, untilMS uint64
	exchanges        uint64
	// Of a request that was answered when it was recorded: what the replay got instead.
	lost error
}

func (d doubt) String() string {
	switch {
	case d.lost != nil:
		return fmt.Sprintf("request %d, which got no answer when it was sent again: %v", d.offset, d.lost)
	case d.gap:
		return fmt.Sprintf("unrecorded traffic, the gap told at %d", d.offset)
	case d.attempts > 1:
		return fmt.Sprintf("request %d, which Envoy tried %d times: the pipeline may have got it more than once", d.offset, d.attempts)
	case d.unsent:
		return fmt.Sprintf("event %d, which could not be sent again because its octets were not kept", d.offset)
	}
	return fmt.Sprintf("unfinished event %d", d.offset)
}

func (p *plan) gap(offset, clockMS uint64, g *logv1.Gap) {
	p.gaps = append(p.gaps, doubt{offset: offset, gap: true, sinceMS: g.GetSinceMs(), untilMS: clockMS, exchanges: g.GetExchanges()})
}

// finish takes what is known only at the end into account: requests that have no
// outcome up to the tip, and what is pruned.
func (p *plan) finish(checked *verify.Report) {
	p.pruned = checked.Cut.Offset
	for o := range p.open {
		p.doubts = append(p.doubts, doubt{offset: o})
	}
	for o := range p.others {
		p.doubts = append(p.doubts, doubt{offset: o})
		p.unsent = append(p.unsent, o)
	}
	slices.Sort(p.unsent)
	slices.SortFunc(p.doubts, func(a, b doubt) int { return cmp.Compare(a.offset, b.offset) })
}

// before is the newest doubt that a difference in x's answer could come from. A
// request that was tried more than once leaves its own answer in doubt, too.
func (p *plan) before(x *exchange) (newest doubt, found bool) {
	n, _ := slices.BinarySearchFunc(p.doubts, x.outcome, func(d doubt, o uint64) int { return cmp.Compare(d.offset, o) })
	if n > 0 {
		newest, found = p.doubts[n-1], true
	}
	for _, g := range p.gaps {
		if g.sinceMS <= x.endedMS && (!found || g.offset > newest.offset) {
			newest, found = g, true
		}
	}
	return newest, found
}

// lose notes that the replay got no answer to x. What has none in the record is in
// doubt already.
func (r *run) lose(x *exchange, cause error) {
	if x.ending == answered {
		r.lost = append(r.lost, doubt{offset: x.offset, lost: cause})
	}
}

// lostBefore is the newest request before x that got no answer in this replay.
func (r *run) lostBefore(x *exchange) (newest doubt, found bool) {
	n, _ := slices.BinarySearchFunc(r.lost, x.offset, func(d doubt, o uint64) int { return cmp.Compare(d.offset, o) })
	if n == 0 {
		return doubt{}, false
	}
	return r.lost[n-1], true
}

// before is the newest doubt that a difference in x's answer could come from, by the
// record or by this replay.
func (r *run) before(x *exchange) (newest doubt, found bool) {
	newest, found = r.plan.before(x)
	if d, lost := r.lostBefore(x); lost && (!found || d.offset > newest.offset) {
		return d, true
	}
	return newest, found
}

// shadow is what before says, in words; empty: nothing.
func (r *run) shadow(x *exchange) string {
	if d, doubtful := r.before(x); doubtful {
		return d.String()
	}
	return ""
}

// unsentBefore are the requests that were in the pipeline before x's answer and are
// not sent.
func (p *plan) unsentBefore(x *exchange) []uint64 {
	i, _ := slices.BinarySearch(p.unsent, x.outcome)
	return p.unsent[:i]
}

// unrecorded counts what passed unrecorded while the range was.
func (p *plan) unrecorded() (exchanges uint64) {
	for _, g := range p.gaps {
		if g.sinceMS <= p.lastMS && g.untilMS >= p.firstMS {
			exchanges += g.exchanges
		}
	}
	return exchanges
}

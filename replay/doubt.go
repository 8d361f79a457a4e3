package replay

import (
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// doubt is something that the pipeline may have got and that a replay can't
// give it again as it was: a request without an answer, or unrecorded traffic.
// It can explain any difference that comes later, also if it is not selected.
type doubt struct {
	offset uint64
	unsent bool // its octets were not kept, so that it could not be sent again
	// Of a gap: since when, until when, and how much passed.
	gap              bool
	sinceMS, untilMS uint64
	exchanges        uint64
}

func (d doubt) String() string {
	if d.gap {
		return fmt.Sprintf("unrecorded traffic, the gap told at %d", d.offset)
	}
	if d.unsent {
		return fmt.Sprintf("event %d, which could not be sent again because its octets were not kept", d.offset)
	}
	return fmt.Sprintf("unfinished event %d", d.offset)
}

func (p *plan) gap(offset, clockMS uint64, g *logv1.Gap) {
	d := doubt{offset: offset, gap: true, sinceMS: g.GetSinceMs(), untilMS: clockMS, exchanges: g.GetExchanges()}
	p.doubts, p.gaps = append(p.doubts, d), append(p.gaps, d)
}

// finish adds the requests that have no outcome up to the tip.
func (p *plan) finish() {
	for o := range p.open {
		p.doubts = append(p.doubts, doubt{offset: o})
	}
	for o := range p.others {
		p.doubts = append(p.doubts, doubt{offset: o})
	}
}

// before is the newest doubt that a difference in x's answer could come from.
func (p *plan) before(x *exchange) (newest doubt, found bool) {
	for _, d := range p.doubts {
		earlier := d.offset < x.outcome
		if d.gap {
			earlier = d.sinceMS <= x.endedMS
		}
		if earlier && (!found || d.offset > newest.offset) {
			newest, found = d, true
		}
	}
	return newest, found
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

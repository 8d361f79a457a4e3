package replay

import (
	"fmt"
	"slices"
)

// pairs counts the requests that were in the pipeline together, two by two.
func (p *plan) pairs() (n uint64) {
	var inside []*exchange
	for _, x := range p.exchanges {
		if x.ending == notDelivered || x.warm {
			continue
		}
		inside = slices.DeleteFunc(inside, func(o *exchange) bool { return o.outcome != 0 && o.outcome < x.offset })
		n += uint64(len(inside))
		inside = append(inside, x)
	}
	return n
}

// approximate says whether pairs is: profile observe places entries when they come
// from Envoy, which is behind what happened, by more or by less.
func (p *plan) approximate() bool {
	return slices.ContainsFunc(p.exchanges, func(x *exchange) bool { return x.seen && !x.warm })
}

// overlapping are the requests that were in the pipeline together with x.
func (p *plan) overlapping(x *exchange) []uint64 {
	var list []uint64
	for _, o := range p.exchanges {
		if o != x && o.ending != notDelivered && o.offset < x.outcome && (o.outcome == 0 || o.outcome > x.offset) {
			list = append(list, o.offset)
		}
	}
	return list
}

// among says how many other requests were in the pipeline together with x, as the end
// of a sentence; empty: none was.
func among(x *exchange, others int) string {
	switch {
	case x.seen:
		return fmt.Sprintf("; about %d other requests were in the pipeline at the same time when it was recorded: profile observe knows only approximately which", others)
	case others > 0:
		return fmt.Sprintf("; %d other requests were in the pipeline at the same time when it was recorded", others)
	}
	return ""
}

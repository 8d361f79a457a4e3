package capture

import (
	"fmt"
	"net/http"
	"time"
)

// growEvery is how long a body of unknown length takes, as is assumed, to become
// twice as large.
const growEvery = 250 * time.Millisecond

// gather is what is known of a request that comes in. Envoy holds it, and shows
// nothing of it before it is whole. Only the goroutine that owns the exchange uses
// it; its zero value gathers nothing.
type gather struct {
	timer  *time.Timer
	until  time.Time
	octets int64 // that room is taken for; 0 when the length is known
}

// begin starts to gather.
func (g *gather) begin(bound time.Duration, unknown int64) {
	g.until, g.octets = time.Now().Add(bound), unknown
	g.timer = time.NewTimer(g.wait())
}

// wait is the time until something is to be done.
func (g *gather) wait() time.Duration {
	left := time.Until(g.until)
	if g.octets > 0 {
		return min(left, growEvery)
	}
	return left
}

// due yields a value when something is to be done; it is nil, which never does,
// unless something is gathered.
func (g *gather) due() <-chan time.Time {
	if g.timer == nil {
		return nil
	}
	return g.timer.C
}

// end is called when the request is there, or will not come.
func (g *gather) end() {
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
}

// gatherMore takes more room for a body that has not come yet and doesn't say how
// long it is: what came of it is in Envoy's memory. The request is refused when
// there is none, or when it takes too long to come.
func (x *exchange) gatherMore() error {
	g, s := &x.gather, x.server
	if !time.Now().Before(g.until) {
		return x.refuseWith(&refusal{"incomplete", http.StatusRequestTimeout, fmt.Sprintf(
			"the request did not come whole within max_gather (%v): if it is a stream, capture.stream must say so", s.MaxGather)})
	}
	if g.octets > 0 {
		g.octets *= 2
		if g.octets >= int64(s.MaxEventBytes) {
			g.octets = int64(s.MaxEventBytes)
		}
		if !x.room.Resize(g.octets) {
			return x.refuseWith(noRoom("a body that does not say how long it is"))
		}
		if g.octets == int64(s.MaxEventBytes) {
			g.octets = 0 // it can't become larger
		}
	}
	g.timer.Reset(g.wait())
	return nil
}

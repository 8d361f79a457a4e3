package capture

import (
	"fmt"
	"net/http"
	"time"
)

// gather bounds how long a request takes to come whole. Only the goroutine that
// owns the exchange uses it.
type gather struct{ timer *time.Timer }

// begin starts the bound.
func (g *gather) begin(bound time.Duration) { g.timer = time.NewTimer(bound) }

// over yields a value when the bound has passed; nil, which never does, unless
// something is gathered.
func (g *gather) over() <-chan time.Time {
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

// gatheredTooLong refuses a request that doesn't come whole.
func (x *exchange) gatheredTooLong() error {
	return x.refuseWith(&refusal{"incomplete", http.StatusRequestTimeout, fmt.Sprintf(
		"the request did not come whole within max_gather (%v): if it is a stream, capture.stream must say so", x.server.MaxGather)})
}

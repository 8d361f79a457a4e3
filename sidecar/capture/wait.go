package capture

import (
	"context"
	"errors"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"verbatim/sidecar/turn"
)

// turnResult is what became of a ticket.
type turnResult struct {
	release func()
	err     error
}

// waitForTurn returns when the exchange may enter the pipeline; gone when it
// ended or was refused instead.
func (x *exchange) waitForTurn() (gone bool, err error) {
	began := time.Now()
	ctx, cancel := context.WithCancel(x.stream.Context())
	defer cancel()
	turns := make(chan turnResult, 1)
	go func() { // ends when Acquire does: at once, at its bound, or with ctx
		release, err := x.server.Turns.Acquire(ctx, x.request.meterIDs)
		turns <- turnResult{release, err}
	}()
	for {
		select {
		case r := <-turns:
			return x.takeTurn(r, began)
		case m, ok := <-x.messages:
			if ok && !isResponse(m.ProcessingRequest) {
				continue // a repeated end, or no message at all: it changes nothing
			}
			// The client is gone, or Envoy answered in our stead: the request will
			// not go on, so it must not have a turn.
			cancel()
			(<-turns).release()
			x.phase = overturned
			if !ok {
				return true, nil
			}
			x.phase = passed
			return true, x.handle(m)
		}
	}
}

func (x *exchange) takeTurn(r turnResult, began time.Time) (gone bool, err error) {
	x.server.Metrics.WaitedForTurn(time.Since(began))
	if r.err != nil {
		return true, x.refuse(turnRefusal(r.err), "the request could not be let into the pipeline: "+r.err.Error())
	}
	x.release = r.release
	return false, nil
}

func isResponse(m *extprocv3.ProcessingRequest) bool {
	return m.GetResponseHeaders() != nil || m.GetResponseBody() != nil || m.GetResponseTrailers() != nil
}

func turnRefusal(err error) string {
	switch {
	case errors.Is(err, turn.ErrQueueFull):
		return "queue-full"
	case errors.Is(err, turn.ErrWaitTooLong):
		return "queue-timeout"
	}
	return "gone"
}

package capture

import (
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// boundTurn is called once an exchange turns out to be a stream: it may take long,
// so others of its meter don't wait for its end.
func (x *exchange) boundTurn() {
	if x.turnOver == nil {
		x.turnOver = time.After(x.server.MaxTurn - time.Since(x.sentAt))
	}
}

// turnIsOver records that the exchange gives its turn back before its end.
func (x *exchange) turnIsOver() {
	x.turnOver = nil
	if x.release == nil || x.phase != released {
		return
	}
	x.responsePart(&logv1.ResponsePart{TurnEnded: true})
	x.steps[len(x.steps)-1].placed = x.endTurn
}

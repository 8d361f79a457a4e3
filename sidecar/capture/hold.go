package capture

import (
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	"verbatim/sidecar/output"
)

// maxHeld bounds what of an answer is held, in octets. Envoy keeps it too; more
// than its buffer's limit and it would stop reading for the sake of what we hold.
// The limit is max_event_bytes if Envoy is configured as package filter does, and
// 1 MiB by default.
const maxHeld = 256 << 10

// hold keeps a chunk without its reply, so that Envoy keeps it too; false: there
// is no room for it.
func (x *exchange) hold(data []byte, reply *extprocv3.ProcessingResponse) bool {
	if len(x.answer.held)+len(data) > min(maxHeld, x.server.MaxEventBytes/2) {
		return false
	}
	if x.answer.share == nil {
		x.answer.share, _ = x.server.Room.Take(0)
	}
	if !x.answer.share.Resize(int64(len(x.answer.held) + len(data))) {
		return false
	}
	x.answer.held, x.answer.replies = append(x.answer.held, data...), append(x.answer.replies, reply)
	return true
}

// clientTakesForWhole says whether with this chunk, or one before it that waits, all is
// there that the answer's head tells of. A client may leave then at once, although the
// end was not seen, which alone tells that no trailers follow.
func (x *exchange) clientTakesForWhole(chunk []byte) bool {
	if len(x.answer.replies) > 0 {
		return true
	}
	headers := x.answer.message.Headers
	length, sized := contentLength(headers)
	return sized && len(chunk) > 0 && uint64(length) == x.answer.passed.octets && //nolint:gosec // 63 bits
		x.server.Hold > 0 && output.ValueOf(headers, "trailer") == ""
}

// holdEnd keeps the last octets of an answer in parts from the client until its outcome
// is recorded. In HTTP/1.1 the end comes with them; HTTP/2 may make it wait, or send
// trailers, which Envoy shows only when no chunk waits.
func (x *exchange) holdEnd(reply *extprocv3.ProcessingResponse) {
	x.holdFor(x.server.Hold, reply)
}

// holdFor keeps a reply back, behind those that wait already, until the time of the first
// of them is over.
func (x *exchange) holdFor(bound time.Duration, reply *extprocv3.ProcessingResponse) {
	if x.answer.replies == nil {
		x.answer.holdOver = time.After(bound)
	}
	x.answer.replies = append(x.answer.replies, reply)
}

// stopHolding is called when an answer, its end, or an interim one was held as long as
// may be.
func (x *exchange) stopHolding() {
	x.answer.holdOver = nil
	if x.answer.seen == seenHeld {
		x.spill()
		return
	}
	_, replies := x.answer.takeHeld()
	x.steps = append(x.steps, step{replies: replies})
}

// spill records what is held as a part; from here on the answer is a stream.
func (x *exchange) spill() {
	if x.answer.seen != seenHeld || !x.recorded() {
		return
	}
	held, replies := x.answer.takeHeld()
	x.answer.seen = seenInParts
	x.boundTurn()
	x.answer.passed.add(held)
	x.answerData(held, replies...)
}

// takeHeld empties what is held, and gives its room back.
func (a *answerStream) takeHeld() ([]byte, []*extprocv3.ProcessingResponse) {
	held, replies := a.held, a.replies
	a.held, a.replies, a.holdOver = nil, nil, nil
	a.share.Release()
	a.share = nil
	return held, replies
}

package capture

import (
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
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

// stopHolding is called when an answer was held as long as may be.
func (x *exchange) stopHolding() {
	x.answer.holdOver = nil
	x.spill()
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

package capture

import (
	"context"
	"sync/atomic"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"golang.org/x/sync/semaphore"

	"verbatim/sidecar/room"
)

// maxBehind is how much of a stream is taken before it is recorded, in octets. Then
// it is not read on, and Envoy stops reading from who sends.
const maxBehind = 64 << 10

// backlog counts the octets of a stream that have come and are not recorded yet.
// They take room as they come, not by the stream's head, as nobody knows how long a
// stream is, and most of them carry little at a time. One stream alone waits for the
// disk; where many at once leave no room they are cut, as others' room may be kept
// by clients. A nil backlog counts nothing.
type backlog struct {
	share  *room.Share
	behind *semaphore.Weighted
	counts atomic.Bool // chunks are counted; whole bodies have their room by their heads
	// Of the exchange: what was handled since the last was recorded.
	handled, waited int64
}

func newBacklog(r *room.Room) *backlog {
	share, _ := r.Take(0)
	return &backlog{share: share, behind: semaphore.NewWeighted(maxBehind)}
}

// begin is called when the exchange is to be shown in parts, before Envoy is told.
func (b *backlog) begin() { b.counts.Store(true) }

// take is called by the receiver for what came. It waits as long as too much of this
// stream is not recorded.
func (b *backlog) take(ctx context.Context, m *extprocv3.ProcessingRequest) message {
	if b == nil || !b.counts.Load() {
		return message{ProcessingRequest: m}
	}
	octets := int64(len(m.GetRequestBody().GetBody()) + len(m.GetResponseBody().GetBody()))
	waited := min(octets, maxBehind)
	if b.behind.Acquire(ctx, waited) != nil {
		return message{ProcessingRequest: m} // the stream has ended, nobody handles it
	}
	if !b.share.Grow(octets) {
		return message{ProcessingRequest: m, waited: waited, noRoom: true}
	}
	return message{ProcessingRequest: m, waited: waited, octets: octets}
}

// handle notes that the exchange has taken a message.
func (b *backlog) handle(m message) {
	b.handled += m.octets
	b.waited += m.waited
}

// recorded gives back what was handled.
func (b *backlog) recorded() {
	b.share.Grow(-b.handled)
	b.behind.Release(b.waited)
	b.handled, b.waited = 0, 0
}

// end gives back all room.
func (b *backlog) end() { b.share.Release() }

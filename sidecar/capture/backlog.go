package capture

import (
	"context"
	"sync/atomic"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"golang.org/x/sync/semaphore"
)

// maxBehind is how much of a stream is taken before it is recorded, in octets. Then
// it is not read on, and Envoy stops reading from who sends.
const maxBehind = 64 << 10

// backlog bounds the octets of a stream that have come and are not recorded yet.
// Nobody knows how long a stream is, so it takes no room by its head; but it waits for
// nothing else than the disk. A nil backlog bounds nothing.
type backlog struct {
	behind *semaphore.Weighted
	counts atomic.Bool // chunks are counted; whole bodies have their room by their heads
	// handled is what the exchange has handled since it last recorded something.
	handled int64
}

func newBacklog() *backlog { return &backlog{behind: semaphore.NewWeighted(maxBehind)} }

// begin is called when the exchange is to be shown in parts, before Envoy is told.
func (b *backlog) begin() { b.counts.Store(true) }

// take is called by the receiver for what came. It waits as long as too much of this
// stream is not recorded.
func (b *backlog) take(ctx context.Context, m *extprocv3.ProcessingRequest) message {
	if b == nil || !b.counts.Load() {
		return message{ProcessingRequest: m}
	}
	octets := min(int64(len(m.GetRequestBody().GetBody())+len(m.GetResponseBody().GetBody())), maxBehind)
	if b.behind.Acquire(ctx, octets) != nil {
		octets = 0 // the stream has ended, nobody handles it
	}
	return message{ProcessingRequest: m, counted: octets}
}

// recorded lets as much come as was handled.
func (b *backlog) recorded() {
	b.behind.Release(b.handled)
	b.handled = 0
}

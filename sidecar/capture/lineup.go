package capture

import (
	"cmp"
	"container/heap"
	"sync"
	"time"

	"verbatim/sidecar/auditlog"
)

// lineupDelay is how long an observed request waits for earlier ones.
const lineupDelay = 50 * time.Millisecond

// lineup appends observed requests in the order in which Envoy got them, as far as
// they come within delay of each other. It is safe for use by several
// goroutines. Each stream of gRPC has a goroutine of its own, so that those which
// come in one burst would be appended in any order. Behind the router all attempts of a
// request have its time; they stand by their number.
type lineup struct {
	delay   time.Duration
	mu      sync.Mutex
	waiting places
}

// moment is when Envoy got a request: nanoseconds of its clock, and which attempt it is
// to send it.
type moment struct {
	at      int64
	attempt uint64
}

func (m moment) compare(o moment) int {
	return cmp.Or(cmp.Compare(m.at, o.at), cmp.Compare(m.attempt, o.attempt))
}

type place struct {
	moment
	draft   auditlog.Draft
	pending *auditlog.Pending
	ready   chan struct{}
}

// append returns after the draft has its place.
func (l *lineup) append(log *auditlog.Log, at moment, d auditlog.Draft) *auditlog.Pending {
	p := &place{moment: at, draft: d, ready: make(chan struct{})}
	l.mu.Lock()
	heap.Push(&l.waiting, p)
	l.mu.Unlock()
	delay := time.NewTimer(l.delay)
	defer delay.Stop()
	select {
	case <-p.ready: // a later one was due first
	case <-delay.C:
		l.through(log, at)
		<-p.ready
	}
	return p.pending
}

// through appends all that are not behind a moment.
func (l *lineup) through(log *auditlog.Log, at moment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) > 0 && l.waiting[0].compare(at) <= 0 {
		p := heap.Pop(&l.waiting).(*place)
		p.pending = log.Append(p.draft)
		close(p.ready)
	}
}

// places is a heap by time.
type places []*place

func (p places) Len() int           { return len(p) }
func (p places) Less(i, j int) bool { return p[i].compare(p[j].moment) < 0 }
func (p places) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *places) Push(x any)        { *p = append(*p, x.(*place)) }
func (p *places) Pop() any {
	last := (*p)[len(*p)-1]
	(*p)[len(*p)-1] = nil
	*p = (*p)[:len(*p)-1]
	return last
}

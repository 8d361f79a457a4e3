package capture

import (
	"context"
	"fmt"
	"sync"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// Losses counts what passed unrecorded until a durable Gap entry says so. Its
// methods are safe for use by several goroutines.
type Losses struct {
	mu     sync.Mutex
	counts map[lossKind]*loss
}

type lossKind struct{ witness, reason string }

type loss struct {
	since     time.Time
	exchanges uint64
}

// Add counts one exchange that passed unrecorded.
func (l *Losses) Add(witness, reason string) { l.AddSince(witness, reason, time.Now(), 1) }

// AddSince counts exchanges that passed unrecorded since a time.
func (l *Losses) AddSince(witness, reason string, since time.Time, exchanges uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[lossKind]*loss{}
	}
	k := lossKind{witness, reason}
	if l.counts[k] == nil {
		l.counts[k] = &loss{since: since}
	}
	if since.Before(l.counts[k].since) {
		l.counts[k].since = since
	}
	l.counts[k].exchanges += exchanges
}

// take empties the counts.
func (l *Losses) take() map[lossKind]*loss {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.counts
	l.counts = nil
	return taken
}

// Tell returns after a Gap entry for everything counted is durable. What could
// not be written stays counted. It waits for the log whatever becomes of ctx: a
// Gap that has its place must not be told again.
func (l *Losses) Tell(ctx context.Context, log *auditlog.Log) error {
	var failed error
	for k, c := range l.take() {
		draft, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{
			SinceMs: uint64(c.since.UnixMilli()), Exchanges: c.exchanges, Reason: k.reason, Witness: k.witness,
		}}})
		if err == nil {
			_, err = log.Append(draft).Wait(context.WithoutCancel(ctx))
		}
		if err != nil {
			l.AddSince(k.witness, k.reason, c.since, c.exchanges)
			failed = fmt.Errorf("record gap: %w", err)
		}
	}
	return failed
}

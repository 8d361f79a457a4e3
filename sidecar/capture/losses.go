package capture

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/gaps"
)

// Losses counts what passed unrecorded until a durable Gap entry says so. Its
// methods are safe for use by several goroutines.
type Losses struct {
	mu      sync.Mutex
	counted []gaps.Loss // by witness and reason
	telling []gaps.Loss // their Gaps are not known to be durable yet
}

// Add counts one exchange that passed unrecorded.
func (l *Losses) Add(witness, reason string) { l.AddSince(witness, reason, time.Now(), 1) }

// AddSince counts exchanges that passed unrecorded since a time.
func (l *Losses) AddSince(witness, reason string, since time.Time, exchanges uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counted = gaps.Merge(l.counted, gaps.Loss{
		Witness: witness, Reason: reason, Exchanges: exchanges, Since: since, Until: time.Now(),
	})
}

// Untold is what is counted and not known to be in a durable Gap entry, one loss for
// each witness and reason. What becomes durable at the same time can be in both.
func (l *Losses) Untold() []gaps.Loss {
	l.mu.Lock()
	defer l.mu.Unlock()
	untold := slices.Clone(l.counted)
	for _, t := range l.telling {
		untold = gaps.Merge(untold, t)
	}
	return untold
}

// take begins to tell what is counted.
func (l *Losses) take() []gaps.Loss {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.counted
	l.counted = nil
	l.telling = append(l.telling, taken...)
	return taken
}

// settle ends the telling of a loss, which is counted again if it failed.
func (l *Losses) settle(told gaps.Loss, failed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.Index(l.telling, told)
	l.telling = slices.Delete(l.telling, at, at+1)
	if failed {
		l.counted = gaps.Merge(l.counted, told)
	}
}

// Tell returns after a Gap entry for everything counted is durable. What could
// not be written stays counted. It waits for the log whatever becomes of ctx: a
// Gap that has its place must not be told again.
func (l *Losses) Tell(ctx context.Context, log *auditlog.Log) error {
	var failed error
	for _, loss := range l.take() {
		draft, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Gap{Gap: &logv1.Gap{
			SinceMs: uint64(loss.Since.UnixMilli()), Exchanges: loss.Exchanges, Reason: loss.Reason, Witness: loss.Witness,
		}}})
		if err == nil {
			_, err = log.Append(draft).Wait(context.WithoutCancel(ctx))
		}
		l.settle(loss, err != nil)
		if err != nil {
			failed = fmt.Errorf("record gap: %w", err)
		}
	}
	return failed
}

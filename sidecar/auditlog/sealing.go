package auditlog

import (
	"context"
	"fmt"
)

// SealSynced ends recording: it refuses new entries, makes durable what waits,
// seals the window as a clean stop does, and returns after all of that is durable.
// Until Close the log can still be read, and what proves its last checkpoint be
// kept beside it. After an error Close seals what is left.
func (l *Log) SealSynced(ctx context.Context) error {
	if _, err := l.queue.sealLast().Wait(ctx); err != nil {
		return fmt.Errorf("seal log %s: %w", l.dir, err)
	}
	return nil
}

// sealLast enqueues the last seal, behind all that waits.
func (q *queue) sealLast() *Pending {
	q.mu.Lock()
	q.ended = true
	q.mu.Unlock()
	return q.enqueue(&Pending{seal: true, done: make(chan struct{})})
}

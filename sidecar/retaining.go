package sidecar

import (
	"context"
	"time"

	"verbatim/sidecar/retention"
	"verbatim/sidecar/stellar"
)

// newRetention makes what prunes the log, and keeps its holds where nothing is
// pruned.
func (s *service) newRetention() {
	o := retention.Options{
		Log: s.log, Keep: time.Duration(s.config.Retention.Keep), Every: s.config.Retention.Every,
		Observer: s.metrics.NewRetention(), Logger: s.logger,
	}
	if s.anchoring.client != nil {
		o.Ledger = ledgerTime{s.anchoring.client}
	}
	s.retention = retention.New(o)
	s.metrics.WatchRetention(s.retention.Status)
}

// ledgerTime asks a Stellar server for the time.
type ledgerTime struct{ client *stellar.Client }

// LedgerClosedAt is when the newest ledger closed.
func (l ledgerTime) LedgerClosedAt(ctx context.Context) (time.Time, error) {
	latest, err := l.client.Latest(ctx)
	return latest.ClosedAt, err
}

package sidecar

import (
	"context"
	"time"

	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
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
	if url := s.config.Archive.URL; url != "" {
		o.Archive = archived{s.log, url}
	}
	s.retention = retention.New(o)
	s.metrics.WatchRetention(s.retention.Status)
}

// archived says how far a log is archived, by what it keeps itself: the archive's
// worker has read everything back.
type archived struct {
	log *auditlog.Log
	url string
}

// ArchivedThrough is for retention: what goes must be archived.
func (a archived) ArchivedThrough(context.Context) (offset uint64, manifestSHA256 []byte, ok bool, err error) {
	v, err := a.log.View()
	if err != nil {
		return 0, nil, false, err
	}
	defer v.Close()
	s, ok, err := archive.Through(v, a.url)
	return s.Through.Offset, s.Digest[:], ok, err
}

// ledgerTime asks a Stellar server for the time.
type ledgerTime struct{ client *stellar.Client }

// LedgerClosedAt is when the newest ledger of the log's network closed: what another
// network takes for the time must not age anything.
func (l ledgerTime) LedgerClosedAt(ctx context.Context) (time.Time, error) {
	if err := l.client.CheckNetwork(ctx); err != nil {
		return time.Time{}, err
	}
	latest, err := l.client.Latest(ctx)
	return latest.ClosedAt, err
}

package retention

import (
	"context"

	"verbatim/sidecar/auditlog"
)

// log is what retention needs of the log: an auditlog.Log, or in tests one whose
// writes fail. What is called Synced returns after it is durable.
type log interface {
	Dir() string
	View() (*auditlog.View, error)
	AppendSynced(ctx context.Context, d auditlog.Draft) (auditlog.Placed, error)
	KeepSynced(ctx context.Context, records ...auditlog.Record) error
	CutSynced(ctx context.Context, pruneOffset uint64) error
	ClearCut(ctx context.Context) error
}

type wholeLog struct{ *auditlog.Log }

// AppendSynced returns after the entry is durable.
func (l wholeLog) AppendSynced(ctx context.Context, d auditlog.Draft) (auditlog.Placed, error) {
	return l.Append(d).Wait(ctx)
}

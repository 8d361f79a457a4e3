package sidecar

import (
	"context"
	"iter"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/query"
)

// envoySpan is what a log has of one Envoy: the offsets from to last, both inclusive;
// none where last is before from. Only what is asked for is looked up in the index and
// read: an Envoy can be up for months.
type envoySpan struct{ from, last uint64 }

// envoysSpan is that of an Envoy that was started at a time, through an offset.
func envoysSpan(v *auditlog.View, started time.Time, last uint64) (envoySpan, error) {
	from, err := v.OffsetAt(uint64(max(started.UnixMilli(), 0)))
	return envoySpan{from, last}, err
}

// events yields those of some kinds, in order. After an error it ends.
func (s envoySpan) events(ctx context.Context, v *auditlog.View, kinds ...auditlog.Kind) iter.Seq2[*logv1.Event, error] {
	return func(yield func(*logv1.Event, error) bool) {
		if s.last < s.from {
			return
		}
		for e, err := range query.Select(ctx, v, query.Selection{Start: &s.from, End: &s.last, Kinds: kinds}) {
			var ev *logv1.Event
			if err == nil {
				ev, err = e.Event()
			}
			if !yield(ev, err) || err != nil {
				return
			}
		}
	}
}

// count counts the entries of a kind without reading them.
func (s envoySpan) count(ctx context.Context, v *auditlog.View, kind auditlog.Kind) (n int64, err error) {
	if s.last < s.from {
		return 0, nil
	}
	for _, err := range v.Find(ctx, auditlog.Lookup{AllOf: [][]auditlog.Term{{auditlog.KindTerm(kind)}}, From: s.from, To: s.last}) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// Package gaps sums up what a log knows to have passed unrecorded: its Gap entries,
// by who witnesses them and why.
//
// It guarantees that each Gap of the log from View.First on is counted once. It finds
// them by the log's index, reads each once however often it is asked, and checks no
// hashes.
package gaps

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/query"
)

// Sum is the sum of one log's Gap entries. Its zero value is empty and ready. It is
// safe for use by several goroutines.
type Sum struct {
	mu     sync.Mutex
	first  uint64 // what is before it is pruned
	next   uint64 // what is before it is counted
	losses []Loss // by witness and reason
}

// Read adds what a view has more than the ones before, all of them of one log, and
// returns the losses, one for each witness and reason in this order, and the offset
// from which on they are counted. After an error the next call goes on where this one
// came. Errors: those of query.Select.
func (s *Sum) Read(ctx context.Context, v *auditlog.View) (losses []Loss, from uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.First() != s.first {
		// What was counted may be pruned.
		s.first, s.next, s.losses = v.First(), v.First(), nil
	}
	if err := s.count(ctx, v); err != nil {
		return nil, 0, fmt.Errorf("sum up gaps: %w", err)
	}
	return slices.Clone(s.losses), s.first, nil
}

// count takes the entries from s.next on.
func (s *Sum) count(ctx context.Context, v *auditlog.View) error {
	tip := v.Tip().Offset
	if s.next > tip {
		return nil
	}
	from := s.next
	selected := query.Selection{Start: &from, Kinds: []auditlog.Kind{auditlog.KindGap}}
	for e, err := range query.Select(ctx, v, selected) {
		if err != nil {
			return err
		}
		ev, err := e.Event()
		if err != nil {
			return err
		}
		s.losses = Merge(s.losses, lossOf(ev))
		s.next = e.Offset + 1
	}
	s.next = tip + 1
	return nil
}

// lossOf is what a Gap tells. One that does not say since when tells of its own moment.
func lossOf(ev *logv1.Event) Loss {
	g, at := ev.GetGap(), ev.GetWallClockMs()
	return Loss{
		Witness: g.GetWitness(), Reason: g.GetReason(), Exchanges: g.GetExchanges(),
		Since: time.UnixMilli(int64(cmp.Or(g.GetSinceMs(), at))), Until: time.UnixMilli(int64(at)),
	}
}

// Merge adds a loss to a list that is sorted by witness and reason and has each of
// them once, and returns it so.
func Merge(list []Loss, l Loss) []Loss {
	at, found := slices.BinarySearchFunc(list, l, func(a, b Loss) int {
		return cmp.Or(cmp.Compare(a.Witness, b.Witness), cmp.Compare(a.Reason, b.Reason))
	})
	if !found {
		return slices.Insert(list, at, l)
	}
	list[at].add(l)
	return list
}

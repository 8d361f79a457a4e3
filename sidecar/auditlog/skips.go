package auditlog

import (
	"slices"
	"strings"
	"sync"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// maxSkipReasons bounds how many reasons are told apart; further ones count
// under otherReason, since a policy can take its reasons from the request.
const (
	maxSkipReasons = 64
	otherReason    = "other"
)

// skips counts left out exchanges until a durable checkpoint has told of them.
type skips struct {
	mu     sync.Mutex
	counts map[string]uint64
}

func (s *skips) add(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = map[string]uint64{}
	}
	if _, known := s.counts[reason]; !known && len(s.counts) >= maxSkipReasons {
		reason = otherReason
	}
	s.counts[reason]++
}

// list is what a checkpoint says, by reason.
func (s *skips) list() []*logv1.Skipped {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*logv1.Skipped
	for reason, n := range s.counts {
		out = append(out, &logv1.Skipped{Reason: reason, Exchanges: n})
	}
	slices.SortFunc(out, func(a, b *logv1.Skipped) int { return strings.Compare(a.GetReason(), b.GetReason()) })
	return out
}

// told takes away what a durable checkpoint has told.
func (s *skips) told(list []*logv1.Skipped) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range list {
		left := s.counts[k.GetReason()]
		if left <= k.GetExchanges() {
			delete(s.counts, k.GetReason())
			continue
		}
		s.counts[k.GetReason()] = left - k.GetExchanges()
	}
}

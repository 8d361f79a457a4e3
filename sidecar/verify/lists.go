package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"verbatim/sidecar/auditlog"
)

// storedSums are the sums of the stored lists, by window, and how many places each
// window has in the index by time.
type storedSums struct {
	windows map[uint64]*auditlog.ListSum
	strange int
	times   map[uint64]int
	noTimes int // of what is stored there and is no place of a window
	err     error
}

// sumUp reads the stored lists, from those of a window on, while the chain is walked.
// Its goroutine ends with ctx or when all are read; done waits for it.
func (s *stored) sumUp(ctx context.Context, from uint64) (done func()) {
	s.sums = make(chan storedSums, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var sums storedSums
		sums.windows, sums.strange, sums.err = s.view.StoredSums(ctx, s.hasher.Another(), from)
		if sums.err == nil {
			sums.times = map[uint64]int{}
			sums.err = s.view.EachTime(ctx, func(window uint64, ok bool) {
				if ok {
					sums.times[window]++
				} else {
					sums.noTimes++
				}
			})
		}
		s.sums <- sums
	}()
	return func() { <-ended }
}

// settled says that the index holds what the entries give, of all windows sealed so far.
// It says no while the stored lists are still being read.
func (s *stored) settled() bool {
	if s.found == nil {
		select {
		case found := <-s.sums:
			s.found = &found
		default:
			return false
		}
	}
	if s.found.err != nil || s.blind {
		return false
	}
	for s.equal < len(s.windows) && s.same(s.windows[s.equal]) {
		s.equal++
	}
	return s.equal == len(s.windows)
}

// same says that a window has the lists and the places that its entries give.
func (s *stored) same(t tally) bool {
	sum, some := s.found.windows[t.id]
	return (some && *sum == t.lists || !some && t.id >= s.indexed) && s.found.times[t.id] == t.times
}

// lists compares the stored posting lists of every window with those that its entries
// give: sums first, and list by list where they differ.
func (s *stored) lists(ctx context.Context, r *Report) {
	if s.found == nil {
		found := <-s.sums
		s.found = &found
	}
	stored := s.found
	if stored.err != nil {
		s.unreadable(r, r.Tip, CodeIndex, stored.err)
		return
	}
	sums, strange := stored.windows, stored.strange
	maps.DeleteFunc(sums, func(window uint64, _ *auditlog.ListSum) bool { return window < s.base })
	for _, t := range s.windows {
		var got auditlog.ListSum
		sum, some := sums[t.id]
		if some {
			got = *sum
		}
		delete(sums, t.id)
		if got == t.lists || !some && t.id >= s.indexed {
			continue
		}
		if r.full() {
			return // each look at a window's lists reads those of all terms
		}
		if err := s.differ(ctx, r, t); err != nil {
			s.unreadable(r, t.first, CodeIndex, err)
			return
		}
	}
	if n := strange + len(sums); n > 0 {
		r.add(s.first, CodeIndex, "the index has lists of %d windows that are not sealed, or something that is no list", n)
	}
}

// differ says which lists of a window are not those of its entries. Entries whose
// request was pruned may be in the list of any meter.
func (s *stored) differ(ctx context.Context, r *Report, t tally) error {
	stored, err := s.view.ListsOf(ctx, t.id)
	if err != nil {
		return err
	}
	want, err := s.listsOf(ctx, t)
	if err != nil {
		return err
	}
	var absent, different, extra []auditlog.Term
	want.Each(func(term auditlog.Term, offsets []uint64) {
		got, found := stored[term]
		delete(stored, term)
		if !found {
			absent = append(absent, term)
		} else if !slices.Equal(t.known(got), t.known(offsets)) {
			different = append(different, term)
		}
	})
	for term, got := range stored {
		if len(t.known(got)) > 0 || len(got) == 0 {
			extra = append(extra, term)
		}
	}
	if len(absent)+len(different)+len(extra)+len(t.orphans) == 0 {
		r.add(t.first, CodeIndex, "window %d has another list than its entries give: the same offsets, written otherwise", t.id)
	}
	for _, found := range []struct {
		terms []auditlog.Term
		text  string
	}{
		{absent, "window %d has no list of %s"},
		{different, "window %d has another list of %s than its entries give"},
		{extra, "window %d has a list of %s, but its entries give none"},
	} {
		if len(found.terms) > 0 {
			slices.Sort(found.terms)
			r.add(t.first, CodeIndex, found.text, t.id, andOthers(found.terms))
		}
	}
	return nil
}

// known leaves out entries whose meters nobody knows any more.
func (t tally) known(offsets []uint64) []uint64 {
	if len(t.orphans) == 0 {
		return offsets
	}
	return slices.DeleteFunc(slices.Clone(offsets), func(o uint64) bool { return t.orphans[o] })
}

// listsOf makes a window's lists again from its entries, whose links hold.
func (s *stored) listsOf(ctx context.Context, t tally) (*auditlog.Lists, error) {
	end := s.first
	if i := t.id - s.base + 1; i < uint64(len(s.windows)) {
		end = s.windows[i].first
	}
	lists := &auditlog.Lists{}
	var summary auditlog.Summary
	for e, err := range s.view.Entries(ctx, t.first, end-1) {
		if err != nil {
			return nil, err
		}
		if summary.Summarize(e.Raw) != nil {
			continue // said already
		}
		meters, err := s.metersOf(&summary)
		if err != nil {
			return nil, err
		}
		lists.Add(e.Offset, summary.Kind, summary.Status, meters)
	}
	return lists, nil
}

// metersOf says which meters an entry belongs to.
func (s *stored) metersOf(summary *auditlog.Summary) (meters []string, err error) {
	ids := summary.Meters
	switch summary.Kind {
	case auditlog.KindRequest:
	case auditlog.KindResponse, auditlog.KindAbort, auditlog.KindRequestPart, auditlog.KindResponsePart:
		var request auditlog.Summary
		e, err := s.view.Entry(summary.RequestOffset)
		if errors.Is(err, auditlog.ErrReopened) {
			return nil, err
		}
		if err != nil || request.Summarize(e.Raw) != nil {
			return nil, nil //nolint:nilerr // pruned, or a finding of its own
		}
		ids = request.Meters
	default:
		return nil, nil
	}
	for _, id := range ids {
		meters = append(meters, string(id))
	}
	return meters, nil
}

func andOthers(terms []auditlog.Term) string {
	if len(terms) == 1 {
		return terms[0].String()
	}
	return fmt.Sprintf("%s and %d other terms", terms[0], len(terms)-1)
}

package verify

import (
	"context"

	"verbatim/sidecar/auditlog"
)

// end looks for what is stored and does not belong there, once the chain was
// walked to its tip.
func (s *stored) end(ctx context.Context, r *Report) {
	s.reach(r)
	// While a log is written the newest entries are stored before a view has
	// them: what is behind the stored tip is wrong, not what is behind the view's.
	tip, err := s.view.StoredTip()
	if err != nil {
		s.unreadable(r, r.Tip, CodeTip, err)
		return
	}
	s.behind(r, tip)
	s.extraCheckpoints(ctx, r, tip)
	if s.blind {
		return
	}
	s.extra(r, "posting lists", func(t tally) int { return t.lists }, func(f func(uint64, bool)) error { return s.view.EachList(ctx, f) })
	s.extra(r, "places in the index by time", func(t tally) int { return t.times }, func(f func(uint64, bool)) error { return s.view.EachTime(ctx, f) })
}

// reach checks where the index is said to end.
func (s *stored) reach(r *Report) {
	sealed := uint64(len(s.windows))
	from := s.first
	if s.indexed < sealed {
		from = s.windows[s.indexed].first
	}
	if s.indexed > sealed || s.from != from {
		r.add(from, CodeIndex, "the index is said to reach up to window %d at offset %d, but that is at %d, and %d windows are sealed",
			s.indexed, s.from, from, sealed)
	}
}

func (s *stored) behind(r *Report, tip auditlog.Tip) {
	switch found, err := s.view.StoredBehind(tip.Offset); {
	case err != nil:
		s.unreadable(r, tip.Offset, CodeTip, err)
	case found:
		r.add(tip.Offset+1, CodeTip, "something is stored behind the newest entry, which is said to be %d", tip.Offset)
	}
}

func (s *stored) extraCheckpoints(ctx context.Context, r *Report, tip auditlog.Tip) {
	err := s.view.EachCheckpoint(ctx, func(id, offset uint64, ok bool) {
		switch notYet := offset > r.Tip && offset <= tip.Offset; {
		case !ok:
			r.add(r.Tip, CodeStoredFooter, "the list of checkpoints holds something that is none")
		case id >= r.Checkpoints && !notYet:
			r.add(min(offset, r.Tip), CodeStoredFooter, "the list of checkpoints has a checkpoint %d at %d, the chain has not", id, offset)
		}
	})
	if err != nil {
		s.unreadable(r, r.Tip, CodeStoredFooter, err)
	}
}

// extra counts the keys of each window: those that its entries give were
// compared one by one.
func (s *stored) extra(r *Report, name string, want func(tally) int, each func(func(window uint64, ok bool)) error) {
	counts, strange := make([]int, len(s.windows)), 0
	err := each(func(window uint64, ok bool) {
		if ok && window < uint64(len(counts)) {
			counts[window]++
		} else {
			strange++
		}
	})
	if err != nil {
		s.unreadable(r, r.Tip, CodeIndex, err)
		return
	}
	for window, t := range s.windows {
		if n := counts[window]; n != want(t) {
			r.add(t.first, CodeIndex, "window %d has %d %s, but its entries give %d", window, n, name, want(t))
		}
	}
	if strange > 0 {
		r.add(s.first, CodeIndex, "%d of the %s are of no window that is sealed", strange, name)
	}
}

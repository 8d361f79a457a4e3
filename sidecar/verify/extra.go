package verify

import (
	"context"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// end looks for what is stored and does not belong there, once the chain was
// walked to its tip.
func (s *stored) end(ctx context.Context, r *Report, f *footers) {
	s.reach(r)
	// While a log is written the newest entries are stored before a view has
	// them: what is behind the stored tip is wrong, not what is behind the view's.
	tip, err := s.view.StoredTip()
	if err != nil {
		s.unreadable(r, r.Tip, CodeTip, err)
		return
	}
	s.behind(r, tip)
	s.twice(r)
	s.records(ctx, r)
	s.extraCheckpoints(ctx, r, tip, f.nextID)
	if s.blind {
		return
	}
	s.lists(ctx, r)
	if s.blind {
		return
	}
	s.times(r)
	s.extraNodes(ctx, r)
}

// reach checks where the index is said to end.
func (s *stored) reach(r *Report) {
	if s.indexed < s.base {
		return // of what an earlier verification has checked
	}
	from := s.first
	if i := s.indexed - s.base; i < uint64(len(s.windows)) {
		from = s.windows[i].first
	}
	if s.indexed > s.window || s.from != from {
		r.add(from, CodeIndex, "the index is said to reach up to window %d at offset %d, but that is at %d, and %d windows are sealed",
			s.indexed, s.from, from, s.window)
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

// twice looks for an entry of which a look-up could tell something else than was
// walked.
func (s *stored) twice(r *Report) {
	switch offset, found, err := s.view.StoredTwice(); {
	case err != nil:
		s.unreadable(r, r.Tip, CodeTwice, err)
	case found:
		r.add(offset, CodeTwice, "an entry is stored alone and in a block, or the blocks are said to end where they don't: who looks it up may be told another than was checked")
	}
}

func (s *stored) extraCheckpoints(ctx context.Context, r *Report, tip auditlog.Tip, nextID uint64) {
	err := s.view.EachCheckpoint(ctx, func(id, offset uint64, ok bool) {
		switch notYet := offset > r.Tip && offset <= tip.Offset; {
		case !ok:
			r.add(r.Tip, CodeStoredFooter, "the list of checkpoints holds something that is none")
		case id >= nextID && !notYet:
			r.add(min(offset, r.Tip), CodeStoredFooter, "the list of checkpoints has a checkpoint %d at %d, the chain has not", id, offset)
		}
	})
	if err != nil {
		s.unreadable(r, r.Tip, CodeStoredFooter, err)
	}
}

// times counts the places in the index by time: those that the entries give were
// compared one by one.
func (s *stored) times(r *Report) {
	counts, strange := make([]int, len(s.windows)), s.found.noTimes
	cleared, err := s.view.Cleared()
	if err != nil {
		s.unreadable(r, r.Tip, CodeIndex, err)
		return
	}
	for window, n := range s.found.times {
		switch i := window - s.base; {
		case window < s.base && (!cleared || s.view.First() < s.firstChecked()):
			// Of what was cut off and is yet to be cleared, or of what an earlier
			// verification has checked.
		case window >= s.base && i < uint64(len(counts)):
			counts[i] += n
		default:
			strange += n
		}
	}
	for i, t := range s.windows {
		if counts[i] != t.times {
			r.add(t.first, CodeIndex, "window %d has %d places in the index by time, but its entries give %d", t.id, counts[i], t.times)
		}
	}
	if strange > 0 {
		r.add(s.first, CodeIndex, "%d of the places in the index by time are of no window that is sealed", strange)
	}
}

// firstChecked is the first offset of the windows that are checked.
func (s *stored) firstChecked() uint64 {
	if len(s.windows) > 0 {
		return s.windows[0].first
	}
	return s.first
}

// extraNodes looks for Merkle nodes that no entries give. Small subtrees are stored for a
// cut before it is made, and stay if it never is: nobody reads them while their entries
// are there, and so they are compared with those here alone.
func (s *stored) extraNodes(ctx context.Context, r *Report) {
	behind, strange := r.Tip+1, 0
	small := map[chain.NodeID]chain.Hash{}
	err := s.view.EachNode(ctx, func(id chain.NodeID, hash chain.Hash, ok bool) {
		from, to := id.Index<<id.Level, (id.Index+1)<<id.Level
		switch {
		case !ok || from>>id.Level != id.Index || to > behind:
			strange++
		case id.Level < auditlog.StoredLevel && from >= s.view.First():
			small[id] = hash
		}
	})
	if err != nil {
		s.unreadable(r, r.Tip, CodeTree, err)
		return
	}
	for id, hash := range small {
		if of, err := s.view.Node(id); err != nil || of != hash {
			strange++
		}
	}
	if strange > 0 {
		r.add(s.first, CodeTree, "%d of the stored Merkle nodes are of no entries", strange)
	}
}

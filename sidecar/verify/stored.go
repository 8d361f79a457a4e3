package verify

import (
	"errors"
	"fmt"

	"verbatim/sidecar/auditlog"
)

// stored compares what readers find entries by (the records of checkpoints, the
// indexes by term and by time) with what the entries themselves give. It keeps
// the open window's index and a tally of each sealed window.
type stored struct {
	view    *auditlog.View
	indexed uint64 // windows from this id on need not be in the index,
	from    uint64 // which is said to be their first offset
	first   uint64 // of the open window
	firstMS uint64 // its first entry's clock
	terms   auditlog.Lists
	windows []tally
	blind   bool  // the storage can't give some of it, and that is said
	err     error // the view can't be read any more
}

// tally is how many keys a sealed window may have in the index.
type tally struct {
	first        uint64
	lists, times int
}

func newStored(v *auditlog.View) (*stored, error) {
	indexed, from, err := v.Indexed()
	if err != nil {
		return nil, err
	}
	return &stored{view: v, indexed: indexed, from: from}, nil
}

// begin opens a window.
func (s *stored) begin(first, clockMS uint64) {
	s.first, s.firstMS, s.terms = first, clockMS, auditlog.Lists{}
}

// checkpoint compares a checkpoint's record and the index of the window that it
// seals.
func (s *stored) checkpoint(r *Report, offset, id uint64, nodes [][]byte) {
	switch found, equal, err := s.view.StoredCheckpoint(id, offset, nodes); {
	case err != nil:
		s.unreadable(r, offset, CodeStoredFooter, err)
	case !found:
		r.add(offset, CodeStoredFooter, "checkpoint %d is not in the list of checkpoints", id)
	case !equal:
		r.add(offset, CodeStoredFooter, "the list of checkpoints has another offset or other Merkle nodes for checkpoint %d", id)
	}
	window := uint64(len(s.windows))
	s.windows = append(s.windows, tally{first: s.first, lists: s.lists(r, window), times: s.time(r, window, offset-1)})
}

// lists compares the window's posting lists, and returns how many there are.
func (s *stored) lists(r *Report, window uint64) int {
	absent, different, err := s.view.StoredLists(window, &s.terms)
	if err != nil {
		s.unreadable(r, s.first, CodeIndex, err)
	}
	if len(absent) > 0 && window < s.indexed {
		r.add(s.first, CodeIndex, "window %d has no list of %s", window, andOthers(absent))
	}
	if len(different) > 0 {
		r.add(s.first, CodeIndex, "window %d has another list of %s than its entries give", window, andOthers(different))
	}
	return s.terms.Len() - len(absent)
}

// time compares the window's place in the index by time; 1 if it has one.
func (s *stored) time(r *Report, window, last uint64) int {
	found, equal, err := s.view.StoredTime(window, s.firstMS, s.first, last)
	switch {
	case err != nil:
		s.unreadable(r, s.first, CodeIndex, err)
	case found && !equal:
		r.add(s.first, CodeIndex, "the index by time gives window %d other offsets than %d to %d", window, s.first, last)
	case !found && window < s.indexed:
		r.add(s.first, CodeIndex, "the index by time has no window %d at its clock, %d", window, s.firstMS)
	}
	if !found {
		return 0
	}
	return 1
}

func andOthers(terms []auditlog.Term) string {
	if len(terms) == 1 {
		return terms[0].String()
	}
	return fmt.Sprintf("%s and %d other terms", terms[0], len(terms)-1)
}

// unreadable says that the storage can't give what is to be compared.
func (s *stored) unreadable(r *Report, offset uint64, code Code, err error) {
	s.blind = true
	if errors.Is(err, auditlog.ErrReopened) {
		s.err = err
	}
	r.add(offset, code, "it can't be read: %v", err)
}

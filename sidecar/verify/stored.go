package verify

import (
	"errors"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// stored compares what readers find entries by (the records of checkpoints, the
// indexes by term and by time, the Merkle nodes) with what the entries themselves
// give. It keeps the open window's index, and a sum of each sealed window's.
type stored struct {
	view    *auditlog.View
	reader  *auditlog.StoredReader
	indexed uint64 // windows from this id on need not be in the index,
	from    uint64 // which is said to be their first offset
	base    uint64 // id of the first window that is checked
	window  uint64 // id of the open window
	first   uint64 // its first offset
	firstMS uint64 // its first entry's clock
	terms   *auditlog.ListSummer
	orphans map[uint64]bool // entries of it whose meters nobody knows any more
	hasher  *auditlog.ListHasher
	sums    chan storedSums
	found   *storedSums // what was received from it; nil: nothing yet
	equal   int         // the first of windows, which the index holds as it has to
	windows []tally
	blind   bool  // the storage can't give some of it, and that is said
	err     error // the view can't be read any more
}

// tally is what the index has to have of a sealed window.
type tally struct {
	id, first uint64
	lists     auditlog.ListSum
	orphans   map[uint64]bool
	times     int
}

func newStored(v *auditlog.View) (*stored, error) {
	indexed, from, err := v.Indexed()
	if err != nil {
		return nil, err
	}
	h := auditlog.NewListHasher()
	return &stored{view: v, reader: v.StoredReader(), indexed: indexed, from: from, hasher: h, terms: h.Summer()}, nil
}

// begin opens a window.
func (s *stored) begin(first, clockMS uint64) {
	if first > 0 && len(s.windows) == 0 {
		s.base = s.window
	}
	s.first, s.firstMS = first, clockMS
	s.terms.Reset()
	s.orphans = nil
}

// orphan notes an entry whose request was pruned.
func (s *stored) orphan(offset uint64) {
	if s.orphans == nil {
		s.orphans = map[uint64]bool{}
	}
	s.orphans[offset] = true
}

// checkpoint compares a checkpoint's record, and keeps what the index has to have of
// the window that it seals.
func (s *stored) checkpoint(r *Report, offset, id uint64, nodes [][]byte) {
	switch found, equal, err := s.reader.Checkpoint(id, offset, nodes); {
	case err != nil:
		s.unreadable(r, offset, CodeStoredFooter, err)
	case !found:
		r.add(offset, CodeStoredFooter, "checkpoint %d is not in the list of checkpoints", id)
	case !equal:
		r.add(offset, CodeStoredFooter, "the list of checkpoints has another offset or other Merkle nodes for checkpoint %d", id)
	}
	s.windows = append(s.windows, tally{
		id: s.window, first: s.first, lists: s.terms.Sum(s.window), orphans: s.orphans, times: s.time(r, offset-1),
	})
	s.window++
}

// time compares the window's place in the index by time; 1 if it has one.
func (s *stored) time(r *Report, last uint64) int {
	found, equal, err := s.reader.Time(s.window, s.firstMS, s.first, last)
	switch {
	case err != nil:
		s.unreadable(r, s.first, CodeIndex, err)
	case found && !equal:
		r.add(s.first, CodeIndex, "the index by time gives window %d other offsets than %d to %d", s.window, s.first, last)
	case !found && s.window < s.indexed:
		r.add(s.first, CodeIndex, "the index by time has no window %d at its clock, %d", s.window, s.firstMS)
	}
	if !found {
		return 0
	}
	return 1
}

// node compares a Merkle node that is stored, if one of its level has to be.
func (s *stored) node(r *Report, id chain.NodeID, hash chain.Hash) {
	if id.Level < auditlog.StoredLevel {
		return
	}
	offset := (id.Index+1)<<id.Level - 1
	switch found, equal, err := s.reader.Node(id, hash); {
	case err != nil:
		s.unreadable(r, offset, CodeTree, err)
	case found && !equal:
		r.add(offset, CodeTree, "the stored Merkle node %d/%d, which ends here, is not the entries'", id.Level, id.Index)
	case !found && offset < s.from:
		r.add(offset, CodeTree, "the Merkle node %d/%d, which ends here, is not stored", id.Level, id.Index)
	}
}

// unreadable says that the storage can't give what is to be compared.
func (s *stored) unreadable(r *Report, offset uint64, code Code, err error) {
	s.blind = true
	if errors.Is(err, auditlog.ErrReopened) {
		s.err = err
	}
	r.add(offset, code, "it can't be read: %v", err)
}

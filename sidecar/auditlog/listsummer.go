package auditlog

import "encoding/binary"

// ListSummer makes the sums of the lists that entries give, window by window, as they
// have to be stored. It keeps the open window's lists of kinds and statuses, and nothing
// of a meter. It is not safe for use by several goroutines.
type ListSummer struct {
	*ListHasher
	meters   ListSum // of their lists in the open window
	kinds    [KindPrune + 1]summedList
	statuses map[uint32]*summedList
	key      []byte
}

// summedList is a list of the open window as it has to be stored.
type summedList struct {
	last  uint64 // the newest offset in it
	value []byte // nil or empty: there is none
}

func (l *summedList) add(offset uint64) {
	if len(l.value) == 0 {
		l.last = 0
	}
	l.value = binary.AppendUvarint(l.value, offset-l.last)
	l.last = offset
}

// Summer returns a summer whose sums can be compared with the hasher's.
func (h *ListHasher) Summer() *ListSummer {
	return &ListSummer{ListHasher: h.Another(), statuses: map[uint32]*summedList{}}
}

// Add takes an entry into account as Lists.Add does, except that no meter may be named
// twice.
func (s *ListSummer) Add(offset uint64, kind Kind, status uint32, meters []MeterHash) {
	if kind > 0 && int(kind) < len(s.kinds) {
		s.kinds[kind].add(offset)
	}
	if status != 0 {
		l, known := s.statuses[status]
		if !known {
			l = &summedList{}
			s.statuses[status] = l
		}
		l.add(offset)
	}
	for _, m := range meters {
		s.offset(&s.meters, m, offset)
	}
}

// Sum is the sum of the open window's lists.
func (s *ListSummer) Sum(window uint64) ListSum {
	sum := s.meters
	take := func(t Term, l *summedList) {
		if len(l.value) > 0 {
			s.key = binary.BigEndian.AppendUint64(appendTermPrefix(s.key[:0], t), window)
			s.list(&sum, s.key, l.value)
		}
	}
	for kind := range s.kinds {
		take(KindTerm(Kind(kind)), &s.kinds[kind])
	}
	for status, l := range s.statuses {
		take(StatusTerm(status), l)
	}
	return sum
}

// Reset empties the lists: a new window begins.
func (s *ListSummer) Reset() {
	s.meters = ListSum{}
	for kind := range s.kinds {
		s.kinds[kind].value = s.kinds[kind].value[:0]
	}
	for _, l := range s.statuses {
		l.value = l.value[:0]
	}
}

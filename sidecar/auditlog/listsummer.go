package auditlog

import (
	"encoding/binary"
)

// ListSummer makes the sums of the lists that entries give, window by window, as they
// have to be stored. It keeps the open window's lists alone, and makes no garbage. It
// is not safe for use by several goroutines.
type ListSummer struct {
	hasher   *ListHasher
	meters   map[string]*Meter
	kinds    [KindPrune + 1]summedList
	statuses map[uint32]*summedList
	some     []*Meter // those that have a list in the window
	key      []byte
}

// Meter is a meter that a ListSummer knows.
type Meter struct {
	id   string
	list summedList
}

// summedList is a list of the open window as it has to be stored.
type summedList struct {
	last  uint64 // the newest offset in it
	value []byte // nil or empty: there is none
}

// add says whether the offset is the first one. One that was added last is not added again.
func (l *summedList) add(offset uint64) (first bool) {
	if first = len(l.value) == 0; first {
		l.last = 0
	} else if l.last == offset {
		return false // a request may name a meter twice
	}
	l.value = binary.AppendUvarint(l.value, offset-l.last)
	l.last = offset
	return first
}

// Summer returns a summer whose sums can be compared with the hasher's.
func (h *ListHasher) Summer() *ListSummer {
	return &ListSummer{hasher: h.Another(), meters: map[string]*Meter{}, statuses: map[uint32]*summedList{}}
}

// Meter returns the meter with an id.
func (s *ListSummer) Meter(id []byte) *Meter {
	m, known := s.meters[string(id)]
	if !known {
		m = &Meter{id: string(id)}
		s.meters[m.id] = m
	}
	return m
}

// Add takes an entry into account as Lists.Add does.
func (s *ListSummer) Add(offset uint64, kind Kind, status uint32, meters []*Meter) {
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
		if m.list.add(offset) {
			s.some = append(s.some, m)
		}
	}
}

// Sum is the sum of the open window's lists.
func (s *ListSummer) Sum(window uint64) (sum ListSum) {
	take := func(t Term, l *summedList) {
		if len(l.value) > 0 {
			s.key = binary.BigEndian.AppendUint64(appendTermPrefix(s.key[:0], t), window)
			sum.add(s.hasher.list(s.key, l.value))
		}
	}
	for _, m := range s.some {
		s.key = append(binary.AppendUvarint(s.key[:0], uint64(1+len(m.id))), meterTerm)
		s.key = binary.BigEndian.AppendUint64(append(s.key, m.id...), window)
		sum.add(s.hasher.list(s.key, m.list.value))
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
	for _, m := range s.some {
		m.list.value = m.list.value[:0]
	}
	s.some = s.some[:0]
	for kind := range s.kinds {
		s.kinds[kind].value = s.kinds[kind].value[:0]
	}
	for _, l := range s.statuses {
		l.value = l.value[:0]
	}
}

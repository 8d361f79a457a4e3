package auditlog

// Lists are the posting lists of one window: for each term the offsets of the
// entries that have it, ascending. Its zero value is empty. It is not safe for
// use by several goroutines; a list that was read stays as it is while others are
// added.
type Lists struct {
	meters   map[string][]uint64
	kinds    [KindPrune + 1][]uint64
	statuses map[uint32][]uint64
}

// Add takes an entry into account: its kind, the status of a response or 0, and
// the meters that it belongs to. Offsets come in order. A kind that the format
// does not know gives no term, and neither does status 0.
func (l *Lists) Add(offset uint64, kind Kind, status uint32, meters []string) {
	if kind > 0 && int(kind) < len(l.kinds) {
		l.kinds[kind] = append(l.kinds[kind], offset)
	}
	if status != 0 {
		if l.statuses == nil {
			l.statuses = map[uint32][]uint64{}
		}
		l.statuses[status] = append(l.statuses[status], offset)
	}
	if len(meters) > 0 && l.meters == nil {
		l.meters = map[string][]uint64{}
	}
	for _, m := range meters {
		list := l.meters[m]
		if len(list) == 0 || list[len(list)-1] != offset { // a request may name a meter twice
			l.meters[m] = append(list, offset)
		}
	}
}

// of is a term's list; the caller must not change it.
func (l *Lists) of(t Term) []uint64 {
	switch {
	case t == "":
	case t[0] == meterTerm:
		return l.meters[string(t[1:])]
	case t[0] == kindTerm && len(t) == 2 && int(t[1]) < len(l.kinds):
		return l.kinds[t[1]]
	case t[0] == statusTerm && len(t) == 5:
		return l.statuses[t.status()]
	}
	return nil
}

// Each calls f for every list that is not empty, in no order. f must not change it.
func (l *Lists) Each(f func(Term, []uint64)) {
	for id, offsets := range l.meters {
		f(MeterTerm(id), offsets)
	}
	for kind, offsets := range l.kinds {
		if len(offsets) > 0 {
			f(KindTerm(Kind(kind)), offsets)
		}
	}
	for status, offsets := range l.statuses {
		f(StatusTerm(status), offsets)
	}
}

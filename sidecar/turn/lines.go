package turn

// A ticket stands in one line for each of its keys and in the common line, in
// all of them in order of arrival, and stays there until its turn is over. It
// may run when it is first in each of its keys' lines and has been admitted in
// the common one. As all lines have the same order, the earliest ticket that
// waits only ever waits for tickets that run.
type ticket struct {
	places []place
	// behind counts the places that are not first in their line.
	behind int
	// prev and next are the neighbours in the common line.
	prev, next *ticket
	admitted   bool
	state      state
	// granted is closed when the ticket may run; nil if it never waited.
	granted chan struct{}
}

type state uint8

const (
	waiting state = iota
	running
	over
)

// place is where a ticket stands in the line of one key.
type place struct {
	key        string
	ticket     *ticket
	prev, next *place
}

func newTicket(keys []string) *ticket {
	t := &ticket{places: make([]place, len(keys))}
	for i, key := range keys {
		t.places[i] = place{key: key, ticket: t}
	}
	return t
}

// alone says that the ticket excludes all others.
func (t *ticket) alone() bool { return len(t.places) == 0 }

func (t *ticket) mayRun() bool { return t.admitted && t.behind == 0 }

// lines holds every ticket that waits or runs. The caller serializes access.
type lines struct {
	// last has the last place in the line of each key that anyone wants.
	last map[string]*place
	// tail is the last ticket in the common line.
	tail *ticket
}

// join puts t at the end of its lines and reports whether it may run.
func (l *lines) join(t *ticket) bool {
	if t.prev = l.tail; t.prev != nil {
		t.prev.next = t
	}
	l.tail = t
	t.admitted = admissible(t)
	for i := range t.places {
		p := &t.places[i]
		prev := l.last[p.key]
		if prev != nil && prev.ticket == t {
			p.ticket = nil // The key's second mention.
			continue
		}
		if p.prev = prev; prev != nil {
			prev.next = p
			t.behind++
		}
		l.last[p.key] = p
	}
	return t.mayRun()
}

// leave takes t out of its lines and calls grant for each ticket that may run
// because of it, in order of arrival where they share a line.
func (l *lines) leave(t *ticket, grant func(*ticket)) {
	if t.prev != nil {
		t.prev.next = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	} else {
		l.tail = t.prev
	}
	for n := t.next; n != nil && !n.admitted && admissible(n); n = n.next {
		n.admitted = true
		if n.mayRun() {
			grant(n)
		}
	}
	for i := range t.places {
		if p := &t.places[i]; p.ticket != nil {
			l.leaveKey(p, grant)
		}
	}
	// Whoever still holds the ticket must not hold its neighbours with it.
	t.prev, t.next, t.places = nil, nil, nil
}

func (l *lines) leaveKey(p *place, grant func(*ticket)) {
	if p.prev != nil {
		p.prev.next = p.next
	}
	switch {
	case p.next != nil:
		p.next.prev = p.prev
	case p.prev != nil:
		l.last[p.key] = p.prev
	default:
		delete(l.last, p.key)
	}
	if p.prev == nil && p.next != nil {
		n := p.next.ticket
		if n.behind--; n.mayRun() {
			grant(n)
		}
	}
}

// admissible says that no ticket ahead of t in the common line excludes it or
// is excluded by it, keys aside: a ticket with keys shares the line's front with
// others like it, one without keys must be first.
func admissible(t *ticket) bool {
	if t.prev == nil {
		return true
	}
	return !t.alone() && !t.prev.alone() && t.prev.admitted
}

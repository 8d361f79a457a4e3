package gaps

import "time"

// Loss is what is known to have passed unrecorded for one reason.
type Loss struct {
	// Witness and Reason are those of a Gap.
	Witness, Reason string
	// Exchanges is a lower bound.
	Exchanges uint64
	// Since is since when they passed, Until when the newest of them was known.
	Since, Until time.Time
}

// add adds another loss for the same reason.
func (l *Loss) add(o Loss) {
	l.Exchanges += o.Exchanges
	if o.Since.Before(l.Since) {
		l.Since = o.Since
	}
	if o.Until.After(l.Until) {
		l.Until = o.Until
	}
}

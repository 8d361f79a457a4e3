package sidecar

import "time"

// envoyRun is what one Envoy, from its start to its end, said that it sent to the
// pipeline, and what the log has of that.
type envoyRun struct {
	earliest, latest int64 // seconds between which it was started
	base             int64 // exchanges that the log had before this process
	told             int64 // and what is counted as lost since
	waiting          []counted
}

// counted is what Envoy's counter was at a moment.
type counted struct {
	at   time.Time
	sent int64
	// through is the newest second of Envoy's clock in which a counted request can
	// have come: a clock that was set back does not take back what was before.
	through int64
}

// say takes in what Envoy says now.
func (r *envoyRun) say(state envoyState) {
	through := state.at.Unix()
	if n := len(r.waiting); n > 0 {
		through = max(through, r.waiting[n-1].through)
	}
	r.waiting = append(r.waiting, counted{state.at, int64(state.sent), through})
}

// missing takes what was said until a moment, and is how many exchanges of it are
// neither shown nor counted as lost before.
func (r *envoyRun) missing(until time.Time, shown *observed) (n int64) {
	for len(r.waiting) > 0 && !r.waiting[0].at.After(until) {
		said := r.waiting[0]
		r.waiting = r.waiting[1:]
		more := max(said.sent-r.base-r.told-shown.between(r.earliest, said.through), 0)
		r.told += more
		n += more
	}
	return n
}

package anchor

import "time"

// Schedule says when a root is sent. Beyond it only the newest root matters: it
// covers those before it, so cost is bounded by time, not by traffic.
type Schedule struct {
	// Every is how many pending checkpoints make an anchor due; at least 1.
	Every uint64
	// MinInterval is the least time between two anchors.
	MinInterval time.Duration
	// AlarmAfter is how old the oldest pending checkpoint may get before Status
	// raises an alarm; 0: any age. Half of it makes an anchor due whatever Every
	// says, so that the last checkpoints of a log that fell quiet are anchored too.
	AlarmAfter time.Duration
}

// wait is how long until an anchor is due: 0 when it is, and false when time alone
// does not make it due. last is when the last one was, zero if there was none.
func (s Schedule) wait(pending uint64, oldest, last, now time.Time) (time.Duration, bool) {
	if pending == 0 {
		return 0, false
	}
	due := now
	if pending < s.Every {
		if s.AlarmAfter == 0 {
			return 0, false
		}
		due = oldest.Add(s.AlarmAfter / 2)
	}
	if rest := last.Add(s.MinInterval); !last.IsZero() && rest.After(due) {
		due = rest
	}
	return max(0, due.Sub(now)), true
}

// late says that the oldest pending checkpoint is older than it may get.
func (s Schedule) late(pending uint64, oldest, now time.Time) bool {
	return s.AlarmAfter > 0 && pending > 0 && now.Sub(oldest) > s.AlarmAfter
}

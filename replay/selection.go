package replay

import (
	"errors"
	"fmt"
	"slices"

	"verbatim/sidecar/auditlog"
)

// ErrRange: the selection is not in the log.
var ErrRange = errors.New("range is not in the log")

// Selection says which requests are replayed: those in all of its bounds.
type Selection struct {
	// Start and End are offsets of requests, both inclusive; nil: the log's.
	Start, End *uint64
	// Meters: requests of any of these; empty: all.
	Meters []string
	// FromMS and ToMS are clocks in milliseconds since the Unix epoch, both
	// inclusive; nil: no bound.
	FromMS, ToMS *uint64
}

// offsets are the bounds of a selection in a view, both inclusive.
func (s Selection) offsets(v *auditlog.View) (from, to uint64, err error) {
	tip := v.Tip().Offset
	to = tip
	if s.Start != nil {
		from = *s.Start
	}
	if s.End != nil {
		to = *s.End
	}
	if from > tip || to > tip {
		return 0, 0, fmt.Errorf("select entries %d to %d: %w: it has the offsets 0 to %d", from, to, ErrRange, tip)
	}
	if s.FromMS != nil {
		at, err := v.OffsetAt(*s.FromMS)
		if err != nil {
			return 0, 0, err
		}
		from = max(from, at)
	}
	if s.ToMS != nil {
		behind, err := v.OffsetAt(*s.ToMS + 1)
		if err != nil {
			return 0, 0, err
		}
		if behind == 0 {
			return 0, 0, fmt.Errorf("select entries until %d ms: %w: it begins later", *s.ToMS, ErrRange)
		}
		to = min(to, behind-1)
	}
	if from > to {
		return 0, 0, fmt.Errorf("select entries: %w: nothing lies between offsets %d and %d", ErrRange, from, to)
	}
	return from, to, nil
}

// matches says whether a request of these meters is selected.
func (s Selection) matches(meters []string) bool {
	return len(s.Meters) == 0 || slices.ContainsFunc(meters, func(m string) bool { return slices.Contains(s.Meters, m) })
}

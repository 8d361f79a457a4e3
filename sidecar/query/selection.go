// Package query selects entries of a log: by offsets, meter, time, kind of event
// and status, all of them combined, the oldest or the newest first.
//
// It guarantees that a selection is whole, the window that is not sealed yet
// included: what can't be read is an error and not left out. It goes by the log's
// indexes and reads no entry that is not selected. It trusts these indexes and
// checks no hashes; package verify does. Of a log that was pruned it selects from
// View.First on; the older entries that are kept for ever are View.Kept's.
package query

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"verbatim/sidecar/auditlog"
)

// Errors by which callers decide.
var (
	// ErrRange: a bound lies outside the log.
	ErrRange = errors.New("bound lies outside the log")
	// ErrSelection: the bounds contradict each other.
	ErrSelection = errors.New("selection contradicts itself")
)

// Order is in which order entries are given.
type Order int

// The orders. OldestFirst is that of the offsets.
const (
	OldestFirst Order = iota
	NewestFirst
)

func (o Order) String() string {
	if o == NewestFirst {
		return "newest first"
	}
	return "oldest first"
}

// Selection says which entries are meant: those in all of its bounds.
type Selection struct {
	// Start and End are offsets, both inclusive; nil: the log's. Both must be in
	// the log, and not be pruned.
	Start, End *uint64
	// Meters: all entries of any of these, which are its requests, their parts
	// and their outcomes; empty: those of every meter and of none.
	Meters []string
	// Kinds: entries of any of these; empty: of every kind.
	Kinds []auditlog.Kind
	// Statuses: responses and aborts with any of these; empty: all entries.
	Statuses []Status
	// FromMS and ToMS are clocks in milliseconds since the Unix epoch, both
	// inclusive; nil: no bound. The time between must meet the log's.
	FromMS, ToMS *uint64
	// Order is in which they are given.
	Order Order
	// Limit is how many entries are given at most, the first ones; 0: all.
	Limit uint64
	// Cursor goes on behind an entry that the same selection gave, of the same log
	// and in the same order, whatever its limit was; empty: at the first.
	Cursor string
}

// Check fails with ErrSelection where an upper bound is below its lower one, or
// where none of the kinds has a status.
func (s Selection) Check() error {
	if s.Start != nil && s.End != nil && *s.Start > *s.End {
		return fmt.Errorf("%w: the start offset %d is behind the end offset %d", ErrSelection, *s.Start, *s.End)
	}
	if s.FromMS != nil && s.ToMS != nil && *s.FromMS > *s.ToMS {
		return fmt.Errorf("%w: it begins at %s, later than it ends, at %s", ErrSelection, at(*s.FromMS), at(*s.ToMS))
	}
	ended := slices.Contains(s.Kinds, auditlog.KindResponse) || slices.Contains(s.Kinds, auditlog.KindAbort)
	if len(s.Statuses) > 0 && len(s.Kinds) > 0 && !ended {
		return fmt.Errorf("%w: a status is that of a response or an abort, and the kind %s has none", ErrSelection, s.Kinds[0])
	}
	return nil
}

// Span is what the selection's offsets, clocks and cursor leave of a view: the
// offsets from to behind-1. It can be empty. The rest is not looked at, but for
// Check.
func (s Selection) Span(v *auditlog.View) (from, behind uint64, err error) {
	if err := s.Check(); err != nil {
		return 0, 0, err
	}
	var last uint64 // behind which it goes on
	if s.Cursor != "" {
		if last, err = s.given(v); err != nil {
			return 0, 0, err
		}
	}
	first := v.First()
	from, behind, err = s.bounds(v)
	switch {
	case err != nil || s.Cursor == "":
		return from, behind, err
	case s.Order == NewestFirst:
		return from, min(behind, last), nil
	case last+1 < first:
		return 0, 0, fmt.Errorf("%w: it goes on behind entry %d, and what came next is pruned up to %d; begin again", ErrCursor, last, first-1)
	}
	return max(from, last+1), behind, nil
}

// goesOn says whether a selection was given up to a cursor already. Then it is no
// matter whether what it began with is pruned by now.
func (s Selection) goesOn() bool { return s.Cursor != "" && s.Order == OldestFirst }

// bounds are what the offsets and clocks leave.
func (s Selection) bounds(v *auditlog.View) (from, behind uint64, err error) {
	first, tip := v.First(), v.Tip().Offset
	from, behind = first, tip+1
	for _, bound := range []*uint64{s.Start, s.End} {
		switch {
		case bound != nil && *bound > tip:
			return 0, 0, fmt.Errorf("select entry %d: %w, which has the offsets %d to %d", *bound, ErrRange, first, tip)
		case bound != nil && *bound < first && !s.goesOn():
			return 0, 0, fmt.Errorf("select entry %d: %w, which has the offsets %d to %d: what was before is pruned", *bound, ErrRange, first, tip)
		}
	}
	if s.Start != nil {
		from = max(first, *s.Start)
	}
	if s.End != nil {
		behind = *s.End + 1
	}
	if s.FromMS != nil {
		first, err := s.after(v, *s.FromMS)
		if err != nil {
			return 0, 0, err
		}
		from = max(from, first)
	}
	if s.ToMS != nil {
		end, err := s.until(v, *s.ToMS)
		if err != nil {
			return 0, 0, err
		}
		behind = min(behind, end)
	}
	return from, behind, nil
}

// after is the first offset at or after a clock.
func (Selection) after(v *auditlog.View, clockMS uint64) (uint64, error) {
	first, err := v.OffsetAt(clockMS)
	if err != nil {
		return 0, fmt.Errorf("select entries by time: %w", err)
	}
	if first > v.Tip().Offset {
		return 0, fmt.Errorf("select entries from %s on: %w: all are older", at(clockMS), ErrRange)
	}
	return first, nil
}

// until is the offset behind the last one at or before a clock.
func (s Selection) until(v *auditlog.View, clockMS uint64) (uint64, error) {
	if clockMS == math.MaxUint64 {
		return v.Tip().Offset + 1, nil
	}
	behind, err := v.OffsetAt(clockMS + 1)
	if err != nil {
		return 0, fmt.Errorf("select entries by time: %w", err)
	}
	if behind <= v.First() && !s.goesOn() {
		return 0, fmt.Errorf("select entries until %s: %w: all are newer", at(clockMS), ErrRange)
	}
	return behind, nil
}

// at writes a clock for people. Clocks far outside any log are given as they are.
func at(clockMS uint64) string {
	if clockMS > maxShownMS {
		return fmt.Sprint(clockMS, " ms")
	}
	return time.UnixMilli(int64(clockMS)).UTC().Format("2006-01-02T15:04:05.000Z")
}

// maxShownMS is the end of the year 9999, RFC 3339's last.
const maxShownMS = 253402300799999

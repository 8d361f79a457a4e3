package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/query"
)

// selectionFlags are the bounds that query, export and replay share.
type selectionFlags struct {
	from, to     uint64
	meters       []string
	since, until string
	// Of query and export alone.
	kinds, statuses []string
}

func (s *selectionFlags) bind(fs *pflag.FlagSet) {
	fs.Uint64Var(&s.from, "from", 0, "first `offset`")
	fs.Uint64Var(&s.to, "to", 0, "last `offset`, inclusive; without it the newest")
	fs.StringArrayVar(&s.meters, "meter", nil, "meter `id`; may be given again")
	fs.StringVar(&s.since, "since", "", "first `time`, as 2026-01-31T10:00:00Z")
	fs.StringVar(&s.until, "until", "", "last `time`, inclusive")
}

// bindEvents binds what a replay can't choose by.
func (s *selectionFlags) bindEvents(fs *pflag.FlagSet) {
	fs.StringArrayVar(&s.kinds, "kind", nil, "`kind` of event, as request or gap; may be given again")
	fs.StringArrayVar(&s.statuses, "status", nil, "`status` of a response, as 503 or 5xx, or abort; may be given again")
}

// selection reads the flags; what was not given does not restrict.
func (s *selectionFlags) selection(fs *pflag.FlagSet) (query.Selection, error) {
	sel := query.Selection{Meters: s.meters}
	if slices.Contains(s.meters, "") {
		return sel, errors.New("read --meter: it is empty; give a meter's id, or leave it out for all of them")
	}
	var err error
	if sel.Kinds, err = query.ParseKinds(s.kinds); err != nil {
		return sel, fmt.Errorf("read --kind: %w", err)
	}
	if sel.Statuses, err = query.ParseStatuses(s.statuses); err != nil {
		return sel, fmt.Errorf("read --status: %w", err)
	}
	if fs.Changed("from") {
		sel.Start = &s.from
	}
	if fs.Changed("to") {
		sel.End = &s.to
	}
	for _, t := range []struct {
		flag, text string
		into       **uint64
	}{{"since", s.since, &sel.FromMS}, {"until", s.until, &sel.ToMS}} {
		if !fs.Changed(t.flag) {
			continue
		}
		ms, err := parseTime(t.flag, t.text)
		if err != nil {
			return sel, err
		}
		*t.into = &ms
	}
	return sel, nil
}

// tellPruned says so where entries of the time that is asked for may be pruned. An offset
// that is pruned is refused; a time is not, as nobody knows by heart when a log was cut.
func tellPruned(w io.Writer, v *auditlog.View, sel query.Selection) error {
	first := v.First()
	if first == 0 || sel.FromMS == nil || sel.Start != nil || sel.Cursor != "" {
		return nil
	}
	e, err := v.Entry(first)
	if err != nil {
		return err
	}
	ev, err := e.Event()
	if err != nil || ev.GetWallClockMs() < *sel.FromMS {
		return err
	}
	return printLine(w, "the entries up to %d are pruned: what is left of the time that --since names begins at %s", first-1,
		atMS(ev.GetWallClockMs()).Format(time.RFC3339))
}

// parseTime reads what a flag says, as milliseconds since the Unix epoch.
func parseTime(flag, text string) (uint64, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.UnixMilli() < 0 {
		return 0, fmt.Errorf("read --%s %q: want a time such as 2026-01-31T10:00:00Z", flag, text)
	}
	return uint64(at.UnixMilli()), nil
}

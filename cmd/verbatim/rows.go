package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// row is an entry as a query shows it.
type row struct {
	entry  auditlog.Entry
	event  *logv1.Event
	meters []string // an answer's are its request's
	cursor string
}

// rows prints entries, each at once. What is printed before the first of them is
// not printed if there is an error instead.
type rows interface {
	add(row) error
	end() error
}

// formatOf finds a format by its name.
func formatOf(name string) (func(io.Writer, *auditlog.View) rows, error) {
	switch name {
	case "table":
		return newTable, nil
	case "json":
		return func(w io.Writer, _ *auditlog.View) rows { return jsonRows{json.NewEncoder(w)} }, nil
	case "csv":
		return func(w io.Writer, _ *auditlog.View) rows { return &csvRows{w: csv.NewWriter(w)} }, nil
	}
	return nil, fmt.Errorf("--format %q: want table, json or csv", name)
}

// table has columns as wide as what usually comes: what is wider widens the lines
// from there on.
type table struct {
	w              io.Writer
	offset, meters int
	begun          bool
}

// Widths of columns, in characters.
const (
	timeWidth   = len("2006-01-02T15:04:05.000Z")
	eventWidth  = len("response_part")
	meterWidth  = len("meter-00017")
	offsetWidth = len("OFFSET")
)

func newTable(w io.Writer, v *auditlog.View) rows {
	return &table{w: w, meters: meterWidth, offset: max(offsetWidth, len(strconv.FormatUint(v.Tip().Offset, 10)))}
}

func (t *table) line(offset, at, event, meters, what string) error {
	t.meters = max(t.meters, utf8.RuneCountInString(meters))
	line := fmt.Sprintf("%-*s  %-*s  %-*s  %-*s  %s", t.offset, offset, timeWidth, at, eventWidth, event, t.meters, meters, what)
	_, err := io.WriteString(t.w, strings.TrimRight(line, " ")+"\n")
	return err
}

func (t *table) add(r row) error {
	if err := t.end(); err != nil {
		return err
	}
	return t.line(strconv.FormatUint(r.entry.Offset, 10), clock(r.event), kindOf(r.event), printable(strings.Join(r.meters, ",")), printable(what(r.event)))
}

// end prints the head, unless that is done.
func (t *table) end() error {
	if t.begun {
		return nil
	}
	t.begun = true
	return t.line("OFFSET", "TIME", "EVENT", "METERS", "WHAT")
}

func clock(ev *logv1.Event) string {
	return time.UnixMilli(int64(ev.GetWallClockMs())).UTC().Format("2006-01-02T15:04:05.000Z")
}

// kindOf is the event's name in the format.
func kindOf(ev *logv1.Event) string {
	m := ev.ProtoReflect()
	if f := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind")); f != nil {
		return f.TextName()
	}
	return "unknown"
}

type jsonRows struct{ *json.Encoder }

func (j jsonRows) add(r row) error {
	return j.Encode(map[string]any{
		"stream_offset": r.entry.Offset, "event_hash": r.entry.EventHash().String(),
		"prev_entry_hash": r.entry.PrevEntryHash.String(), "entry_hash": r.entry.Hash().String(),
		"event": eventJSON(r.event), "meter_ids": append([]string{}, r.meters...), "cursor": r.cursor,
	})
}

func (jsonRows) end() error { return nil }

// csvRows has a head, and one record an entry.
type csvRows struct {
	w     *csv.Writer
	begun bool
}

func (c *csvRows) add(r row) error {
	if err := c.end(); err != nil {
		return err
	}
	request, status := answerOf(r.event)
	if err := c.w.Write([]string{
		strconv.FormatUint(r.entry.Offset, 10), clock(r.event), kindOf(r.event), strings.Join(r.meters, " "), request, status, what(r.event),
	}); err != nil {
		return err
	}
	c.w.Flush()
	return c.w.Error()
}

// end prints the head, unless that is done.
func (c *csvRows) end() error {
	if c.begun {
		return nil
	}
	c.begun = true
	if err := c.w.Write([]string{"offset", "time", "event", "meters", "request", "status", "what"}); err != nil {
		return err
	}
	c.w.Flush()
	return c.w.Error()
}

// answerOf is the offset of the request that an event answers, and with what
// status; empty where it has none.
func answerOf(ev *logv1.Event) (request, status string) {
	switch k := ev.GetKind().(type) {
	case *logv1.Event_Response:
		if s := auditlog.OutputStatus(k.Response.GetOutput()); s != 0 {
			status = strconv.FormatUint(uint64(s), 10)
		}
		return strconv.FormatUint(k.Response.GetRequestOffset(), 10), status
	case *logv1.Event_Abort:
		return strconv.FormatUint(k.Abort.GetRequestOffset(), 10), "abort"
	case *logv1.Event_RequestPart:
		return strconv.FormatUint(k.RequestPart.GetRequestOffset(), 10), ""
	case *logv1.Event_ResponsePart:
		return strconv.FormatUint(k.ResponsePart.GetRequestOffset(), 10), ""
	}
	return "", ""
}

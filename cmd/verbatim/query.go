package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
	"verbatim/sidecar/query"
	"verbatim/sidecar/secret"
)

// selectionFlags are the bounds that query, export and replay share.
type selectionFlags struct {
	from, to     uint64
	meters       []string
	since, until string
}

func (s *selectionFlags) bind(fs *pflag.FlagSet) {
	fs.Uint64Var(&s.from, "from", 0, "first `offset`")
	fs.Uint64Var(&s.to, "to", 0, "last `offset`, inclusive; without it the newest")
	fs.StringArrayVar(&s.meters, "meter", nil, "meter `id`; may be given again")
	fs.StringVar(&s.since, "since", "", "first `time`, as 2026-01-31T10:00:00Z")
	fs.StringVar(&s.until, "until", "", "last `time`, inclusive")
}

// selection reads the flags; what was not given does not restrict.
func (s *selectionFlags) selection(fs *pflag.FlagSet) (query.Selection, error) {
	sel := query.Selection{Meters: s.meters}
	if slices.Contains(s.meters, "") {
		return sel, errors.New("read --meter: it is empty; give a meter's id, or leave it out for all of them")
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
		if t.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, t.text)
		if err != nil || at.UnixMilli() < 0 {
			return sel, fmt.Errorf("read --%s %q: want a time such as 2026-01-31T10:00:00Z", t.flag, t.text)
		}
		ms := uint64(at.UnixMilli())
		*t.into = &ms
	}
	return sel, nil
}

func queryCommand() *cobra.Command {
	var dir string
	var flags selectionFlags
	var limit uint64
	var asJSON, reveal bool
	c := &cobra.Command{
		Use:   "query --log DIR",
		Args:  flagsAlone,
		Short: "Show entries of a log",
		Long: `Shows entries, oldest first, by offset, meter and time, combined. Entries of the
window that is not sealed yet are among them; the log may be in use.

Values of headers that carry credentials (authorization, cookie, ...) are hidden
unless --reveal is given. Nothing is checked here: that is what verify does.

` + exitCodes,
		Example: `  verbatim query --log DIR --meter meter-00017 --limit 20
  verbatim query --log DIR --since 2026-01-31T10:00:00Z --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sel, err := flags.selection(cmd.Flags())
			if err != nil {
				return err
			}
			sel.Limit = limit
			v, _, done, err := openLog(cmd.Context(), dir)
			if err != nil {
				return err
			}
			defer done()
			rows := newRows(cmd.OutOrStdout(), asJSON)
			for e, err := range query.Select(cmd.Context(), v, sel) {
				if err != nil {
					return err
				}
				if err := rows.add(e, reveal); err != nil {
					return err
				}
			}
			return rows.end()
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	flags.bind(c.Flags())
	c.Flags().Uint64Var(&limit, "limit", 0, "at most so many entries; 0: all")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object an entry")
	c.Flags().BoolVar(&reveal, "reveal", false, "show the values of headers that carry credentials")
	require(c, "log")
	return c
}

// rows prints entries as a table or as JSON lines.
type rows struct {
	table *tabwriter.Writer
	json  *json.Encoder
}

func newRows(w io.Writer, asJSON bool) *rows {
	if asJSON {
		return &rows{json: json.NewEncoder(w)}
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "OFFSET\tTIME\tEVENT\tMETERS\tWHAT") // Flush gives the error
	return &rows{table: t}
}

func (r *rows) add(e auditlog.Entry, reveal bool) error {
	ev, err := e.Event()
	if err != nil {
		return err
	}
	if !reveal {
		ev = secret.Redacted(ev)
	}
	if r.json != nil {
		return r.json.Encode(map[string]any{
			"stream_offset": e.Offset, "event_hash": e.EventHash().String(),
			"prev_entry_hash": e.PrevEntryHash.String(), "entry_hash": e.Hash().String(), "event": eventJSON(ev),
		})
	}
	kind, _, err := auditlog.Peek(e.Raw)
	if err != nil {
		return err
	}
	at := time.UnixMilli(int64(ev.GetWallClockMs())).UTC().Format("2006-01-02T15:04:05.000Z")
	_, err = fmt.Fprintf(r.table, "%d\t%s\t%s\t%s\t%s\n", e.Offset, at, kind,
		strings.Join(ev.GetRequest().GetMeterIds(), ","), what(ev))
	return err
}

func (r *rows) end() error {
	if r.table == nil {
		return nil
	}
	return r.table.Flush()
}

// what is an event in a few words.
func what(ev *logv1.Event) string {
	switch k := ev.GetKind().(type) {
	case *logv1.Event_Genesis:
		return fmt.Sprintf("log %x, version %d", k.Genesis.GetLogId(), k.Genesis.GetFormatVersion())
	case *logv1.Event_Start:
		return fmt.Sprintf("ordering %v, profile %v", enumJSON(k.Start.GetOrdering().Descriptor(), k.Start.GetOrdering().Number()),
			enumJSON(k.Start.GetProfile().Descriptor(), k.Start.GetProfile().Number()))
	case *logv1.Event_Request:
		return fmt.Sprintf("%s %s, %d octets", pseudo(k.Request, ":method"), pseudo(k.Request, ":path"), len(k.Request.GetBody()))
	case *logv1.Event_Response:
		return whatResponse(k.Response)
	case *logv1.Event_RequestPart:
		return fmt.Sprintf("of %d", k.RequestPart.GetRequestOffset())
	case *logv1.Event_Abort:
		return fmt.Sprintf("of %d, delivered %v: %s", k.Abort.GetRequestOffset(),
			enumJSON(k.Abort.GetDelivered().Descriptor(), k.Abort.GetDelivered().Number()), k.Abort.GetReason())
	case *logv1.Event_Gap:
		return fmt.Sprintf("%d exchanges passed unrecorded: %s", k.Gap.GetExchanges(), k.Gap.GetReason())
	case *logv1.Event_Checkpoint:
		return fmt.Sprintf("%d seals %d to %d, %d outputs", k.Checkpoint.GetCheckpointId(), k.Checkpoint.GetFirstOffset(),
			k.Checkpoint.GetLastOffset(), k.Checkpoint.GetOutputCount())
	}
	return ""
}

func whatResponse(r *logv1.Response) string {
	out, err := output.Decode(r.GetOutput())
	if err != nil {
		return fmt.Sprintf("to %d, unreadable", r.GetRequestOffset())
	}
	by := ""
	if r.GetLocalReply() != nil {
		by = ", by Envoy itself"
	}
	return fmt.Sprintf("to %d, status %d, %d octets%s", r.GetRequestOffset(), out.GetStatus(), len(out.GetBody()), by)
}

func pseudo(r *logv1.Request, name string) string {
	for _, h := range r.GetHeaders() {
		if string(h.GetName()) == name {
			return string(h.GetValue())
		}
	}
	return "?"
}

package main

import (
	"github.com/spf13/cobra"

	"verbatim/sidecar/query"
	"verbatim/sidecar/secret"
)

// queryFlags are the settings of a query.
type queryFlags struct {
	log            logFlags
	format, cursor string
	selection      selectionFlags
	limit          uint64
	newest, reveal bool
}

func queryCommand() *cobra.Command {
	var f queryFlags
	c := &cobra.Command{
		Use:   "query --log DIR",
		Args:  flagsAlone,
		Short: "Show entries of a log",
		Long: `Shows entries by offset, meter, time, kind of event and status, combined, oldest
first or newest first. Entries of the window that is not sealed yet are among
them; the log may be in use.

--meter selects a meter's requests, their parts and their outcomes. --status selects
outcomes: responses with a status, as 503, or with one of a class, as 5xx, and with
abort the requests that ended without a response. A request that is still open has no
outcome, and no entry tells of it. Of one flag given again an entry needs to fit one.

Where --limit leaves entries out, a cursor is printed to stderr: the same command with
--cursor goes on behind the last entry shown. In JSON every entry has its cursor.

Values of headers and of URLs' parameters that carry credentials (authorization, cookie,
api_key, ...) are hidden unless --reveal is given. Nothing is checked here: that is what verify does.

` + exitCodes,
		Example: `  verbatim query --log DIR --meter meter-00017 --newest-first --limit 20
  verbatim query --log DIR --status 5xx --status abort --since 2026-01-31T10:00:00Z
  verbatim query --log DIR --kind gap --format json`,
		RunE: f.run,
	}
	f.log.bind(c.Flags())
	f.selection.bind(c.Flags())
	f.selection.bindEvents(c.Flags())
	c.Flags().BoolVar(&f.newest, "newest-first", false, "show the newest entries first")
	c.Flags().Uint64Var(&f.limit, "limit", 0, "at most so many entries; 0: all")
	c.Flags().StringVar(&f.cursor, "cursor", "", "go on where a `cursor` of the same query was printed")
	c.Flags().StringVar(&f.format, "format", "table", "`format`: table, json (one object an entry) or csv")
	c.Flags().BoolVar(&f.reveal, "reveal", false, "show the values of headers and parameters that carry credentials")
	require(c, "log")
	return c
}

func (f *queryFlags) run(cmd *cobra.Command, _ []string) error {
	sel, err := f.selection.selection(cmd.Flags())
	if err != nil {
		return err
	}
	if f.newest {
		sel.Order = query.NewestFirst
	}
	sel.Cursor = f.cursor
	if f.limit > 0 {
		sel.Limit = f.limit + 1 // the last tells that there is more
	}
	form, err := formatOf(f.format)
	if err != nil {
		return err
	}
	v, _, done, err := f.log.open(cmd.Context(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer done()
	if err := tellPruned(cmd.ErrOrStderr(), v, sel); err != nil {
		return err
	}
	rows := form(cmd.OutOrStdout(), v)
	cursors, meters := sel.Cursors(v.ID()), query.NewMeters(v)
	last, shown := "", uint64(0)
	for e, err := range query.Select(cmd.Context(), v, sel) {
		if f.limit > 0 && shown == f.limit {
			_ = printLine(cmd.ErrOrStderr(), "there is more: go on with --cursor %s", last)
			break
		}
		if err != nil {
			return err
		}
		r := row{entry: e, cursor: cursors.After(e.Offset)}
		if r.event, err = e.Event(); err != nil {
			return err
		}
		if r.meters, err = meters.Of(e.Offset, r.event); err != nil {
			return err
		}
		if !f.reveal {
			r.event = secret.Redacted(r.event)
		}
		if err := rows.add(r); err != nil {
			return err
		}
		last, shown = r.cursor, shown+1
	}
	return rows.end()
}

package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"iter"

	"github.com/spf13/cobra"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/query"
	"verbatim/sidecar/secret"
)

func exportCommand() *cobra.Command {
	var log logFlags
	var flags selectionFlags
	var reveal bool
	c := &cobra.Command{
		Use:   "export --log DIR",
		Args:  flagsAlone,
		Short: "Write entries as JSON, with their raw bytes",
		Long: `Writes one JSON object an entry: stream_offset, event_hash and prev_entry_hash
in hexadecimal, raw_event_bytes in base64, and the event decoded. With all of a
log anyone can check its chain with a few lines of their own:

  entry_hash = SHA-256(prev_entry_hash || stream_offset, 8 bytes, big endian || raw_event_bytes)

raw_event_bytes are the evidence and hold what was recorded, credentials too:
keep an export as safe as the log. In "event", the readable copy, such values
are hidden unless --reveal is given.

` + exitCodes,
		Example: "  verbatim export --log DIR --from 0 --to 999 > window.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			sel, err := flags.selection(cmd.Flags())
			if err != nil {
				return err
			}
			v, _, done, err := log.open(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer done()
			if err := tellPruned(cmd.ErrOrStderr(), v, sel); err != nil {
				return err
			}
			w := bufio.NewWriter(cmd.OutOrStdout())
			err = exportEntries(w, query.Select(cmd.Context(), v, sel), reveal)
			if failed := w.Flush(); failed != nil {
				return failed
			}
			return err // what came before it is whole
		},
	}
	log.bind(c.Flags())
	flags.bind(c.Flags())
	flags.bindEvents(c.Flags())
	c.Flags().BoolVar(&reveal, "reveal", false, "show the values of headers and parameters that carry credentials in event")
	require(c, "log")
	return c
}

// exportEntries writes a line an entry, up to the first that can't be read.
func exportEntries(w io.Writer, entries iter.Seq2[auditlog.Entry, error], reveal bool) error {
	lines := json.NewEncoder(w)
	for e, err := range entries {
		if err != nil {
			return err
		}
		ev, err := e.Event()
		if err != nil {
			return err
		}
		if !reveal {
			ev = secret.Redacted(ev)
		}
		if err := lines.Encode(map[string]any{
			"stream_offset": e.Offset, "event_hash": e.EventHash().String(), "prev_entry_hash": e.PrevEntryHash.String(),
			"raw_event_bytes": base64.StdEncoding.EncodeToString(e.Raw), "event": eventJSON(ev),
		}); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/admin"
	"verbatim/sidecar/archive"
	"verbatim/sidecar/auditlog"
)

func statusCommand() *cobra.Command {
	var log logFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "status --log DIR",
		Args:  flagsAlone,
		Short: "Say how a log is recorded, how far it is, and what is missing in it",
		Long: `Says under which profile, ordering and position a log is recorded, its newest entry
and checkpoint, and what is known to have passed unrecorded: since when, until when,
how many exchanges at least, who witnesses it, and why. While verbatim serve runs on
the log, it is asked, and tells also what no Gap entry says yet, what is in flight,
and whether it can write. Of a log that nobody writes, and of an archive, it is what
the log itself tells: how it was recorded last.

Losses are no finding: the profile allows them, or they are of an earlier one, and a
log never forgets. Their sum covers what is not pruned. Nothing is checked here: that
is what verify does.

In JSON what is not known is left out; docs/operations.md has the fields.

` + exitCodes + ` A verbatim serve that can't write its log, or whose anchor has an
alarm, is exit code 1.`,
		Example: "  verbatim status --log /var/lib/verbatim/log\n  verbatim status --log DIR --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, serving, err := readStatus(cmd.Context(), &log, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			s := newStatusReport(r, serving)
			if err := s.write(cmd.OutOrStdout(), asJSON); err != nil {
				return err
			}
			if s.Alarm != "" || s.Writable != nil && !*s.Writable {
				return errFinding
			}
			return nil
		},
	}
	log.bind(c.Flags())
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	require(c, "log")
	return c
}

// readStatus asks the process that writes the log, or else the log itself.
func readStatus(ctx context.Context, log *logFlags, w io.Writer) (r *auditv1.GetStatusResponse, serving bool, err error) {
	if err := log.check(); err != nil {
		return nil, false, err
	}
	if !archive.IsURL(log.log) && errors.Is(auditlog.Available(log.log), auditlog.ErrInUse) {
		r, err := admin.Status(ctx, log.log)
		return r, true, err
	}
	v, _, done, err := log.open(ctx, w)
	if err != nil {
		return nil, false, err
	}
	defer done()
	r, err = admin.ReadStatus(ctx, v)
	return r, false, err
}

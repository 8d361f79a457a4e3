package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"verbatim/sidecar/backup"
)

func restoreCommand() *cobra.Command {
	var o backup.Options
	c := &cobra.Command{
		Use:   "restore --from BACKUP --to DIR",
		Args:  flagsAlone,
		Short: "Make a log of a backup",
		Long: `Copies a backup to a new directory, to record into. It never overwrites: DIR must
be absent or empty. The backup stays as it is.

It says at which offset the backup ends. What was recorded behind it is not in the
restored log, and it can't know whether there was anything. If the original goes
on, or its later roots were published or signed, a log that is recorded into after
a restore is a second history with the same id: a fork. Where that can be so, begin
a new log instead that continues this one (verbatim init --continues).

` + exitCodes,
		Example: `  verbatim restore --from /backup/log-2026-03-01 --to /var/lib/verbatim/log`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := take(cmd, o)
			if err != nil {
				return fmt.Errorf("restore: %w", err)
			}
			p := &printer{w: cmd.OutOrStdout()}
			p.line("log              %s", r.ID)
			p.line("restored         %s, offsets %d to %d, %s", o.To, r.First, r.Tip.Offset, octets(r))
			p.line("chain root       %s", r.Tip.Hash)
			warnOfForks(p, r)
			return sound(p, r)
		},
	}
	c.Flags().StringVar(&o.From, "from", "", "the backup's `directory`")
	c.Flags().StringVar(&o.To, "to", "", "the log's `directory`: absent, or empty")
	require(c, "from", "to")
	return c
}

// warnOfForks says what recording into a restored log can do.
func warnOfForks(p *printer, r *backup.Result) {
	p.line("WARNING          the backup ends at offset %d; if the log recorded more, or still does, recording here makes a fork of it", r.Tip.Offset)
	if a := r.Anchor; a != nil {
		p.line("WARNING          its roots are published at %s: once there is one behind offset %d, no root of this copy is accepted any more (forked)",
			a.GetContract(), r.Tip.Offset)
	}
}

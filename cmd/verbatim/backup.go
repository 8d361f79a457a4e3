package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"verbatim/sidecar/admin"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/backup"
)

func backupCommand() *cobra.Command {
	var dir string
	var o backup.Options
	c := &cobra.Command{
		Use:   "backup --log DIR --to DIR",
		Args:  flagsAlone,
		Short: "Copy a log, also while serve runs on it",
		Long: `Copies a log to a new directory, which is a log again: verify, query and replay
read it as it is, and verbatim restore makes a log to record into of it. While
serve runs on the log it gives the state of one moment; what is recorded later is
not in the copy.

The copy is complete or not there: it is made in DIR.partial, every file is synced
and read back, all of it is verified, and then it gets its name. Nothing is ever
replaced. A log that contradicts itself is copied as it is, and that is a finding.

With --like, an earlier backup on the same file system, tables that both have are
linked: they take the space once, and are lost together.

` + exitCodes,
		Example: `  verbatim backup --log /var/lib/verbatim/log --to /backup/log-2026-03-01
  verbatim backup --log DIR --to /backup/log-2026-03-02 --like /backup/log-2026-03-01`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, release, err := quiet(cmd.Context(), dir)
			if err != nil {
				return err
			}
			defer release()
			o.From = from
			r, err := take(cmd, o)
			if err != nil {
				return fmt.Errorf("back up %s: %w", dir, err)
			}
			p := &printer{w: cmd.OutOrStdout()}
			p.line("log              %s", r.ID)
			p.line("backup           %s, offsets %d to %d, %s", o.To, r.First, r.Tip.Offset, octets(r))
			p.line("chain root       %s", r.Tip.Hash)
			return sound(p, r)
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	c.Flags().StringVar(&o.To, "to", "", "the backup's `directory`: absent, or empty")
	c.Flags().StringVar(&o.Like, "like", "", "`directory` of an earlier backup, whose equal tables are linked")
	require(c, "log", "to")
	return c
}

// quiet is a directory with the log that nobody writes: the log's own, or a snapshot
// that the process that writes it holds until release.
func quiet(ctx context.Context, dir string) (path string, release func(), err error) {
	err = auditlog.Available(dir)
	if err == nil {
		return dir, func() {}, nil
	}
	if !errors.Is(err, auditlog.ErrInUse) {
		return "", nil, err
	}
	path, _, release, err = admin.HoldSnapshot(ctx, dir)
	return path, release, err
}

func take(cmd *cobra.Command, o backup.Options) (*backup.Result, error) {
	const step = 1 << 20
	var progress bar
	o.Progress = func(done, all int64) {
		if progress == (bar{}) {
			progress = newBar(cmd.ErrOrStderr(), "copying, MiB", int(all/step)+1)
		}
		progress.set(int(done / step))
	}
	r, err := backup.TakeSynced(cmd.Context(), o)
	progress.end()
	return r, err
}

func octets(r *backup.Result) string {
	if r.Linked > 0 {
		return fmt.Sprintf("%d octets copied, %d linked", r.Copied, r.Linked)
	}
	return fmt.Sprintf("%d octets copied", r.Copied)
}

// sound says whether a copy agrees with itself.
func sound(p *printer, r *backup.Result) error {
	for _, f := range r.Report.Findings {
		printFinding(p, "FINDING at", f)
	}
	if r.Report.OK() {
		p.line("COPIED: every file was synced and read back, and the copy agrees with itself")
		return p.err
	}
	p.line("COPIED, AS DAMAGED AS IT WAS: %d findings, the first at offset %d; verbatim fsck says what can be done",
		len(r.Report.Findings), r.Report.Findings[0].Offset)
	return errors.Join(p.err, errFinding)
}

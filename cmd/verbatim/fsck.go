package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/fsck"
	"verbatim/sidecar/verify"
)

func fsckCommand() *cobra.Command {
	var dir, to string
	var repair, asJSON bool
	c := &cobra.Command{
		Use:   "fsck --log DIR [--repair --to DIR]",
		Args:  flagsAlone,
		Short: "Find and name a log's damage, save what is left",
		Long: `Finds what is wrong with a log: what verify finds, what keeps the log from being
opened, which file it is and which entries are lost. It writes nothing without
--repair, and then to the directory --to alone: the damaged log stays as it is.

--repair makes a new log of the entries that prove each other, from the first one
on, up to the first that is missing or not what it was: each is taken only if
something that is stored apart from it names its hash. Indexes, checkpoints'
records, Merkle nodes and blocks are made again of the entries. No entry is ever
made or changed. Receipts and signed checkpoints are taken over, also those of what
is lost: they prove the loss. Entries behind it that can be read are named, and
stay in the damaged log.

Keep the damaged log. Before you record into a repaired log that has lost entries,
look for a backup: what was published or signed of the lost part contradicts it.

Exit codes: 0 nothing is wrong; 1 something is, and with --repair what could be
saved is in DIR; 2 bad input, or nothing could be saved.`,
		Example: `  verbatim fsck --log /var/lib/verbatim/log
  verbatim fsck --log /var/lib/verbatim/log --repair --to /var/lib/verbatim/repaired`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if repair == (to == "") {
				return errors.New("--repair and --to belong together: say the directory of the repaired log")
			}
			from, release, err := damagedOrQuiet(cmd.Context(), dir, repair)
			if err != nil {
				return err
			}
			defer release()
			p, err := runFsck(cmd, from, to)
			if err != nil && !errors.Is(err, fsck.ErrNothingLeft) {
				return err
			}
			if bad := printFsck(cmd.OutOrStdout(), dir, to, p, asJSON); bad != nil {
				return bad
			}
			switch {
			case err != nil:
				return err
			case !p.Clean():
				return errFinding
			}
			return nil
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	c.Flags().BoolVar(&repair, "repair", false, "save what is left into the log --to")
	c.Flags().StringVar(&to, "to", "", "the repaired log's `directory`: absent, or empty")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	require(c, "log")
	return c
}

// damagedOrQuiet is quiet for a log that may not be known as one any more. A log that
// is written is not repaired.
func damagedOrQuiet(ctx context.Context, dir string, repair bool) (string, func(), error) {
	if err := auditlog.Available(dir); repair || !errors.Is(err, auditlog.ErrInUse) {
		return dir, func() {}, nil // whoever opens it says what is wrong
	}
	return quiet(ctx, dir)
}

func runFsck(cmd *cobra.Command, from, to string) (*fsck.Repaired, error) {
	if to == "" {
		r, err := fsck.Examine(cmd.Context(), from, nil)
		return &fsck.Repaired{Report: r}, err
	}
	return fsck.RepairSynced(cmd.Context(), from, to, nil)
}

func printFsck(w io.Writer, dir, to string, r *fsck.Repaired, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(fsckJSON(r))
	}
	p := &printer{w: w}
	for _, f := range r.Findings {
		if f.File != "" {
			p.line("FINDING file %s: %s", f.File, f.Text)
		} else {
			printFinding(p, "FINDING", verify.Finding{Offset: f.Offset, Code: f.Code, Text: f.Text})
		}
	}
	if r.Clean() {
		p.line("CLEAN: %s opens, its entries are one chain, and what is stored beside them fits", dir)
		return p.err
	}
	printLeft(p, r)
	switch {
	case r.Saved != nil:
		for _, n := range r.Notes {
			p.line("note             %s", n)
		}
		for _, f := range r.Saved.Findings {
			printFinding(p, "STILL WRONG at  ", f)
		}
		p.line("REPAIRED: %s ends at %d with root %s; %s stays as it is, keep it", to, r.Saved.Tip, r.Saved.ChainRoot, dir)
	case to != "":
		p.line("NOT REPAIRED: nothing could be saved; restore a backup or an archive")
	case r.Looked && r.Proved != nil:
		p.line("DAMAGED: verbatim fsck --log %s --repair --to NEW saves the entries that are proved", dir)
	default:
		p.line("DAMAGED: restore a backup, or let verbatim fsck --log %s --repair --to NEW look for more in a copy", dir)
	}
	return p.err
}

// printLeft says what is left of the entries.
func printLeft(p *printer, r *fsck.Repaired) {
	switch {
	case !r.Looked:
		p.line("entries          they can only be looked for in a copy, which --repair makes")
		return
	case r.Proved == nil:
		p.line("entries          none is proved: %s", r.Why)
		return
	}
	p.line("entries          %d to %d prove each other, the last one has root %s", r.Proved.First, r.Proved.Last, r.Root)
	if r.Why != "" {
		p.line("they end because %s", r.Why)
	}
	if r.Lost != nil {
		p.line("LOST             %d to %d", r.Lost.First, r.Lost.Last)
	}
	for _, s := range r.Stranded {
		p.line("readable         %d to %d, but they don't follow from what is proved: they are not taken", s.First, s.Last)
	}
}

func fsckJSON(r *fsck.Repaired) map[string]any {
	m := map[string]any{"ok": r.Clean(), "findings": append([]fsck.Finding{}, r.Findings...)}
	if r.Clean() {
		return m
	}
	m["opens"], m["looked"], m["why"] = r.Opens, r.Looked, r.Why
	m["stranded"] = append([]auditlog.Range{}, r.Stranded...)
	if r.Proved != nil {
		m["proved"], m["root"] = r.Proved, r.Root.String()
	}
	if r.Lost != nil {
		m["lost"] = r.Lost
	}
	if s := r.Saved; s != nil {
		m["notes"] = append([]string{}, r.Notes...)
		m["repaired"] = map[string]any{"tip": s.Tip, "chain_root": s.ChainRoot.String(), "findings": len(s.Findings)}
	}
	return m
}

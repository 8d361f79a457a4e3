package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/admin"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/config"
	"verbatim/sidecar/retention"
	"verbatim/sidecar/stellar"
)

// pruning are the flags of prune.
type pruning struct {
	dir, rpc string
	archive  string
	keep     config.Span
	keepSaid bool
	dryRun   bool
}

func pruneCommand() *cobra.Command {
	p := pruning{keep: config.Span(retention.DefaultKeep)}
	c := &cobra.Command{
		Use:   "prune --log DIR [--keep DURATION] [--archive URL] [--dry-run]",
		Args:  flagsAlone,
		Short: "Prune what is older than the keep time",
		Long: `Prunes a log from its front, up to a checkpoint: everything that goes is older than
the keep time, anchored where the log is anchored (sealed elsewhere), and free of
holds and of requests without an outcome. The log says what goes before it does.
Its genesis, starts and checkpoints stay for ever.

--dry-run prunes nothing, and says what would go and what holds back the rest. If
verbatim serve runs on the log, that process prunes, with its own settings.

--archive names the archive of a log on which serve does not run: what is not there
yet stays.

Age is by the ledger's clock where the log is anchored; --rpc asks a server for it,
else the newest receipt tells. Elsewhere it is by the time that was counted while
verbatim serve ran: a clock that is set forward makes nothing older.

` + exitCodes,
		Example: `  verbatim prune --log DIR --dry-run
  verbatim prune --log DIR --keep 90d`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p.keepSaid = cmd.Flags().Changed("keep")
			if p.keep <= 0 {
				return fmt.Errorf("--keep %v: want more than 0", p.keep)
			}
			if p.dryRun {
				return p.foresee(cmd.Context(), cmd.OutOrStdout())
			}
			return p.prune(cmd.Context(), cmd.OutOrStdout())
		},
	}
	c.Flags().StringVar(&p.dir, "log", "", "the log's `directory`")
	c.Flags().Var(&p.keep, "keep", "how old entries get, such as 90d")
	c.Flags().StringVar(&p.rpc, "rpc", "", "`URL` of a Stellar RPC server, asked for the ledger's time")
	c.Flags().StringVar(&p.archive, "archive", "", "`URL` of the archive that must have what goes")
	c.Flags().BoolVar(&p.dryRun, "dry-run", false, "prune nothing, and say what would go")
	require(c, "log")
	return c
}

var errKeepOfServe = errors.New("verbatim serve runs on the log, and its retention.keep says how long entries are kept: leave out --keep, --rpc and --archive")

// says is whether a flag was given that is a setting of serve.
func (p *pruning) says() bool { return p.keepSaid || p.rpc != "" || p.archive != "" }

// ask asks the server and the archive that were named.
func (p *pruning) ask(ctx context.Context, o *retention.Options) error {
	v, _, done, err := openLog(ctx, p.dir)
	if err != nil {
		return err
	}
	defer done()
	if p.rpc != "" {
		ledger, err := p.ledgerTime(ctx, v)
		if err != nil {
			return err
		}
		o.Ledger = known(ledger)
	}
	o.Archive, err = p.askArchive(ctx, v)
	return err
}

// foresee says what would be pruned.
func (p *pruning) foresee(ctx context.Context, w io.Writer) error {
	err := auditlog.Available(p.dir)
	if err != nil && !errors.Is(err, auditlog.ErrInUse) {
		return err
	}
	v, _, done, openErr := openLog(ctx, p.dir)
	if openErr != nil {
		return openErr
	}
	defer done()
	if err != nil {
		if p.says() {
			return errKeepOfServe
		}
		id := v.ID()
		plan, err := admin.ForeseePrune(ctx, p.dir, id[:])
		if err != nil {
			return err
		}
		return printPlan(w, plan)
	}
	ledger, err := p.ledgerTime(ctx, v)
	if err != nil {
		return err
	}
	archive, err := p.askArchive(ctx, v)
	if err != nil {
		return err
	}
	plan, err := retention.Foresee(ctx, v, time.Duration(p.keep), ledger, archive)
	if err != nil {
		return err
	}
	return printPlan(w, plan.Message(time.Duration(p.keep)))
}

// ledgerTime asks the server that was named, if one was.
func (p *pruning) ledgerTime(ctx context.Context, v *auditlog.View) (time.Time, error) {
	where := v.Genesis().GetAnchor()
	if p.rpc == "" {
		return time.Time{}, nil
	}
	if where == nil {
		return time.Time{}, fmt.Errorf("--rpc is given, but log %s is not anchored: %w", p.dir, errNotAnchored)
	}
	client, err := stellar.Dial(p.rpc, where.GetNetwork())
	if err != nil {
		return time.Time{}, fmt.Errorf("--rpc: %w", err)
	}
	defer client.Close()
	if err := client.CheckNetwork(ctx); err != nil {
		return time.Time{}, err
	}
	latest, err := client.Latest(ctx)
	return latest.ClosedAt, err
}

// known is a ledger time that was asked for already.
type known time.Time

// LedgerClosedAt is that time.
func (k known) LedgerClosedAt(context.Context) (time.Time, error) { return time.Time(k), nil }

// prune prunes, or lets the process prune that writes the log.
func (p *pruning) prune(ctx context.Context, w io.Writer) error {
	o := retention.Options{Keep: time.Duration(p.keep)}
	if p.says() && errors.Is(auditlog.Available(p.dir), auditlog.ErrInUse) {
		return errKeepOfServe
	}
	if p.rpc != "" || p.archive != "" {
		if err := p.ask(ctx, &o); err != nil {
			return err
		}
	}
	var result *retentionv1.Done
	err := withRetention(ctx, p.dir, o, func(worker *retention.Worker) error {
		done, err := worker.Begin(ctx)
		if err == nil {
			result = done.Message()
		}
		return err
	}, func(id []byte) (err error) {
		if p.says() {
			return errKeepOfServe
		}
		result, err = admin.PruneNow(ctx, p.dir, id)
		return err
	})
	if err != nil {
		return err
	}
	return printDone(w, p.dir, result)
}

func printPlan(w io.Writer, plan *retentionv1.Plan) error {
	p := &printer{w: w}
	p.line("keep time        %s", retention.Days(time.Duration(plan.GetKeepMs())*time.Millisecond))
	printFirst(p, plan.GetFirstOffset())
	if u := plan.GetUnderWay(); u != nil {
		p.line("under way        the prune entry at offset %d: offsets %d to %d", u.GetPruneOffset(), u.GetFirstOffset(), u.GetLastOffset())
	}
	if c := plan.GetCut(); c != nil && c.GetEntries() > 0 {
		p.line("would prune      %d entries of offsets %d to %d, %d bytes of events; %d entries of them stay",
			c.GetEntries(), plan.GetFirstOffset(), c.GetOffset(), c.GetOctets(), c.GetStay())
		p.line("cut at           checkpoint %d, root %x", c.GetCheckpointId(), c.GetRoot())
	} else {
		p.line("would prune      nothing")
	}
	printHeld(p, plan.GetHeld())
	return p.err
}

func printFirst(p *printer, first uint64) {
	if first == 0 {
		p.line("pruned so far    nothing")
	} else {
		p.line("pruned so far    offsets 0 to %d", first-1)
	}
}

func printHeld(p *printer, held []*retentionv1.Held) {
	for _, h := range held {
		p.line("held back        by %s, from offset %d on: %s", h.GetBy(), h.GetOffset(), h.GetText())
	}
}

func printDone(w io.Writer, dir string, d *retentionv1.Done) error {
	p := &printer{w: w}
	switch {
	case d.GetPruneOffset() == 0:
		p.line("nothing to prune")
		printHeld(p, d.GetHeld())
	case d.GetWaitsFor() != "":
		p.line("prune entry      written at offset %d; it waits for %s", d.GetPruneOffset(), d.GetWaitsFor())
		p.line("nothing is pruned yet: publish it with verbatim anchor now --log %s, then say verbatim prune again", dir)
	default:
		p.line("pruned           offsets %d to %d, as the prune entry at %d says", d.GetFirstOffset()-d.GetEntries(), d.GetFirstOffset()-1, d.GetPruneOffset())
		p.line("disk             %d bytes before, %d after", d.GetDiskBefore(), d.GetDiskAfter())
		printHeld(p, d.GetHeld())
	}
	return p.err
}

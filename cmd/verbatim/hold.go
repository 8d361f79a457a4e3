package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	retentionv1 "verbatim/proto/verbatim/retention/v1"
	"verbatim/sidecar/admin"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/query"
	"verbatim/sidecar/retention"
)

func holdCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "hold",
		Short: "Keep entries from being pruned",
		Long: `A hold keeps entries from being pruned for as long as it is there, however old they
get. Logs are pruned from the front: what a hold protects stays, with all behind it.

` + exitCodes,
	}
	return group(c, holdAddCommand(), holdListCommand(), holdRemoveCommand())
}

func holdAddCommand() *cobra.Command {
	var dir, meter, reason string
	var from, to uint64
	var all bool
	c := &cobra.Command{
		Use:   "add --log DIR (--meter ID | --from OFFSET --to OFFSET | --all) --reason TEXT",
		Args:  flagsAlone,
		Short: "Add a hold and print its id",
		Long: `Adds a hold: on every window that has an entry of a meter, on a range of offsets, or
on all. It is durable when the command ends; until then it protects nothing. If
something that it is meant for is pruned already, or no entry is of that meter, the
command says so. The log may be in use.

` + exitCodes,
		Example: `  verbatim hold add --log DIR --meter meter-00017 --reason "case 4711"`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h := &retentionv1.Hold{Reason: reason}
			ranged := cmd.Flags().Changed("from") || cmd.Flags().Changed("to")
			switch {
			case !utf8.ValidString(meter):
				return fmt.Errorf("--meter %q: it is not UTF-8, as every meter's id is", meter)
			case !utf8.ValidString(reason):
				return fmt.Errorf("--reason %q: it is not UTF-8", reason)
			case meter != "" && !ranged && !all:
				h.Scope = &retentionv1.Hold_MeterId{MeterId: meter}
			case meter == "" && cmd.Flags().Changed("from") && cmd.Flags().Changed("to") && !all:
				h.Scope = &retentionv1.Hold_Range{Range: &retentionv1.Range{From: from, To: to}}
			case meter == "" && !ranged && all:
				h.Scope = &retentionv1.Hold_All{All: &retentionv1.All{}}
			default:
				return errors.New("say what to hold, and one of these: --meter ID, --from OFFSET with --to OFFSET, or --all")
			}
			added, first, err := addHold(cmd.Context(), dir, h)
			if err != nil {
				return err
			}
			known := true
			if meter != "" {
				known, err = hasMeter(cmd.Context(), dir, meter)
			}
			return errors.Join(printAdded(cmd.OutOrStdout(), added, first, known), err)
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	c.Flags().StringVar(&meter, "meter", "", "hold every window that has an entry of the meter with this `id`")
	c.Flags().Uint64Var(&from, "from", 0, "the first `offset` to hold")
	c.Flags().Uint64Var(&to, "to", 0, "the last `offset` to hold")
	c.Flags().BoolVar(&all, "all", false, "hold the whole log")
	c.Flags().StringVar(&reason, "reason", "", "`text` that says why, for whoever finds the hold later")
	require(c, "log", "reason")
	return c
}

func printAdded(w io.Writer, h *retentionv1.Hold, first uint64, known bool) error {
	p := &printer{w: w}
	if !known {
		// An id with a slip in it keeps nothing.
		p.line("no entry is of meter %q: the hold keeps what comes; if the id is another, remove this hold and add that", h.GetMeterId())
	}
	if r := h.GetRange(); first > 0 && (r == nil || r.GetFrom() < first) {
		p.line("pruned already: offsets 0 to %d; what of it the hold is meant for is gone", first-1)
	}
	p.line("hold on %s added: %s", retention.Scope(h), h.GetId())
	return p.err
}

// hasMeter says whether an entry is of a meter, or that nobody can say.
func hasMeter(ctx context.Context, dir, meter string) (bool, error) {
	v, _, done, err := openLog(ctx, dir)
	if err != nil {
		return true, err
	}
	defer done()
	for _, err := range query.Select(ctx, v, query.Selection{Meters: []string{meter}, Limit: 1}) {
		return true, err
	}
	return false, nil
}

func holdListCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "list --log DIR",
		Args:  flagsAlone,
		Short: "List the holds",
		Long: `Lists the holds on a log, with the time at which each was added, by the clock of that
machine. The log may be in use.

` + exitCodes,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, _, done, err := openLog(cmd.Context(), dir)
			if err != nil {
				return err
			}
			defer done()
			holds, err := retention.Holds(cmd.Context(), v)
			if err != nil {
				return err
			}
			p := &printer{w: cmd.OutOrStdout()}
			for _, h := range holds {
				p.line("%s  %s  %s: %s", h.GetId(), time.UnixMilli(int64(h.GetAddedMs())).UTC().Format(time.RFC3339), retention.Scope(h), h.GetReason())
			}
			if len(holds) == 0 {
				p.line("no holds")
			}
			return p.err
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	require(c, "log")
	return c
}

func holdRemoveCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "remove --log DIR ID",
		Short: "Remove a hold",
		Long: `Removes a hold. What only it kept may be pruned from then on. The log may be in use.

` + exitCodes,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("say the id of one hold, as %s list shows it", c.Parent().CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := removeHold(cmd.Context(), dir, args[0])
			if err != nil {
				return err
			}
			return printLine(cmd.OutOrStdout(), "hold %s on %s removed", h.GetId(), retention.Scope(h))
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	require(c, "log")
	return c
}

// addHold asks the process that writes the log, or is that process for a while.
func addHold(ctx context.Context, dir string, h *retentionv1.Hold) (added *retentionv1.Hold, first uint64, err error) {
	err = withRetention(ctx, dir, retention.Options{}, func(w *retention.Worker) error {
		added, first, err = w.AddHoldSynced(ctx, h)
		return err
	}, func(id []byte) error {
		added, first, err = admin.AddHold(ctx, dir, id, h)
		return err
	})
	return added, first, err
}

func removeHold(ctx context.Context, dir, id string) (removed *retentionv1.Hold, err error) {
	err = withRetention(ctx, dir, retention.Options{}, func(w *retention.Worker) error {
		removed, err = w.RemoveHoldSynced(ctx, id)
		return err
	}, func(logID []byte) error {
		removed, err = admin.RemoveHold(ctx, dir, logID, id)
		return err
	})
	return removed, err
}

// sealSoon is the maximum age of a window for a process that adds one entry and
// waits until it is sealed.
const sealSoon = time.Millisecond

// withRetention opens a log that nobody writes and calls own, or asks with the id of
// one that is in use, so that no other log is changed.
func withRetention(ctx context.Context, dir string, o retention.Options, own func(*retention.Worker) error, ask func(logID []byte) error) error {
	err := auditlog.Available(dir)
	if errors.Is(err, auditlog.ErrInUse) {
		v, _, done, err := openLog(ctx, dir)
		if err != nil {
			return err
		}
		id := v.ID()
		done()
		return ask(id[:])
	}
	if err != nil {
		return err
	}
	log, err := auditlog.Open(dir, auditlog.Options{MaxAge: sealSoon})
	if err != nil {
		return err
	}
	o.Log = log
	return errors.Join(own(retention.New(o)), log.Close(context.WithoutCancel(ctx)))
}

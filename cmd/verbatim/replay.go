package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/replay"
	"verbatim/replay/target"
	"verbatim/sidecar"
	"verbatim/sidecar/config"
	"verbatim/sidecar/frozenclock"
	"verbatim/sidecar/output"
	"verbatim/sidecar/query"
)

// replayFlags are the settings of a replay.
type replayFlags struct {
	log           logFlags
	target, image string
	clock         string // a file
	via           string // an Envoy that leads to the target; empty: none
	selection     selectionFlags
	timeout       time.Duration
	all, asJSON   bool
	evidence      string // a file to make
	ignore        string // a file with an ignore policy
}

func replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay --log DIR --target URL",
		Args:  flagsAlone,
		Short: "Send the recorded requests again and compare the answers",
		Long: `Checks every link of the log, then sends the recorded requests to the target,
one at a time, in offset order, with the recorded clock and seed in their
headers, and compares the answers with the recorded ones, byte for byte.

The target must be a fresh instance of the pipeline, in the state in which the
recording began: http://HOST:PORT (HTTP/1.1) or h2c://HOST:PORT (HTTP/2).
The address that is being captured is refused. The log may be in use; nothing
is written to it.

A target that reads the system's time instead can be started by verbatim run with
a frozen clock: --clock names its file, which is set to each event's recorded time
before the event is sent.

The verdict: VERIFIED; DIVERGENCE with the first bad offset and what differs;
CANNOT_TELL when the target can't be reached, or when a request that never got
an answer could explain a difference. What is compared is the answers: effects
outside them, such as the pipeline's own calls, are not.

Each answer is compared under the ignore policy that the log sealed for it.
--ignore names a file with another one, in the form of the setting ignore: both
sides are brought under it, and the verdict says that it is not the sealed one.

--evidence writes a file about a DIVERGENCE, which verbatim verify-evidence explains
without the log: it proves what was recorded, and holds what was answered now. Like
the log it holds credentials.

Exit codes: 0 verified; 1 divergence or a broken chain; 2 cannot tell, or bad input.`,
		Example: `  verbatim replay --log DIR --target http://127.0.0.1:8081
  verbatim replay --log DIR --target http://127.0.0.1:8081 --meter meter-00017 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sel, err := f.selection.selection(cmd.Flags())
			if err != nil {
				return err
			}
			var proof divergenceProof
			if err := proof.check(f.evidence); err != nil {
				return err
			}
			out, err := f.run(cmd, sel, &proof)
			if err != nil {
				return err
			}
			if err := printVerdict(cmd.OutOrStdout(), out, f.asJSON); err != nil {
				return err
			}
			proof.print(cmd.ErrOrStderr())
			switch out.GetResult() {
			case auditv1.ReplayResult_REPLAY_RESULT_VERIFIED:
				return nil
			case auditv1.ReplayResult_REPLAY_RESULT_DIVERGENCE:
				return errFinding
			}
			return errCannotTell
		},
	}
	f.log.bind(c.Flags())
	c.Flags().StringVar(&f.target, "target", "", "`URL` of a fresh instance of the pipeline")
	c.Flags().StringVar(&f.via, "via", "", "`URL` of a listener of an Envoy without capture, by which the target is reached")
	c.Flags().StringVar(&f.image, "target-image", "", "`digest` of the image that the target runs, to compare with the recorded one")
	c.Flags().StringVar(&f.clock, "clock", "", "`file` of the target's frozen clock, of verbatim run; set to each event's time")
	f.selection.bind(c.Flags())
	c.Flags().DurationVar(&f.timeout, "timeout", replay.DefaultTimeout, "bound of one request")
	c.Flags().BoolVar(&f.all, "all", false, "go on after the first difference, and count them")
	c.Flags().StringVar(&f.evidence, "evidence", "", "new `file` for the evidence of a divergence")
	c.Flags().StringVar(&f.ignore, "ignore", "", "`file` with an ignore policy for both sides, like the setting ignore; without: the sealed one")
	c.MarkFlagsMutuallyExclusive("ignore", "evidence") // which is judged under the sealed policy
	c.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON object")
	require(c, "log", "target")
	return c
}

func (f *replayFlags) run(cmd *cobra.Command, sel query.Selection, proof *divergenceProof) (*auditv1.AuditReplayResponse, error) {
	ctx := cmd.Context()
	ignore, err := readIgnore(f.ignore)
	if err != nil {
		return nil, err
	}
	v, captured, done, err := f.log.open(ctx, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	defer done()
	if err := replay.RefuseCaptured(ctx, f.target, captured); err != nil {
		return nil, err
	}
	clock, err := f.openClock()
	if err != nil {
		return nil, err
	}
	if f.via != "" {
		if err := replay.RefuseCaptured(ctx, f.via, captured); err != nil {
			return nil, err
		}
	}
	progress := bar{}
	n := 0
	defer func() { progress.end() }()
	out, err := replay.Run(ctx, v, replay.Options{
		Selection: sel, Target: openTarget(f.target, f.via), TargetImage: f.image, All: f.all, Timeout: f.timeout, Ignore: ignore, Clock: clock,
		Total: func(requests int) { progress = newBar(cmd.ErrOrStderr(), "replaying", requests) },
		Emit: func(*auditv1.ReplayedExchange) error {
			n++
			progress.set(n)
			return context.Cause(ctx)
		},
		Diverged: proof.diverged,
	})
	if err != nil {
		return nil, err
	}
	proof.writeSynced(ctx, v, out.GetReason(), f.image)
	return out, nil
}

// openClock returns nil if none is named.
func (f *replayFlags) openClock() (replay.Clock, error) {
	if f.clock == "" {
		return nil, nil
	}
	return frozenclock.Open(f.clock)
}

// readIgnore reads a policy that is chosen; nil: none is.
func readIgnore(path string) (*output.IgnorePolicy, error) {
	if path == "" {
		return nil, nil
	}
	settings, err := config.LoadIgnore(path)
	if err != nil {
		return nil, err
	}
	policy, err := sidecar.ReadIgnorePolicy(settings)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &policy, nil
}

func openTarget(url, via string) func(string) (*target.Target, error) {
	return func(protocol string) (*target.Target, error) {
		o := target.Options{Protocol: target.Protocol(protocol)}
		if via != "" {
			url, o.Via = via, true
		}
		t, err := target.New(url, o)
		if err != nil {
			return nil, fmt.Errorf("open target: %w", err)
		}
		return t, nil
	}
}

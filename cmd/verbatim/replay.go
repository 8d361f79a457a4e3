package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/replay"
	"verbatim/sidecar/query"
)

// replayFlags are the settings of a replay.
type replayFlags struct {
	log       logFlags
	targets   targetFlags
	image     string
	clock     string // a file
	selection selectionFlags
	warmFrom  uint64
	pace      paceFlag
	trust     trustCheck
	timeout   time.Duration
	all       bool
	ignore    string // a file
	evidence  string // a file to make
	report    reportFlags
}

const replayLong = `Checks every link of the log, then sends the recorded requests to the target,
one at a time, in offset order, with the recorded clock and seed in their
headers, and compares the answers with the recorded ones, byte for byte.

The target must be a fresh instance of the pipeline, in the state in which the
recording began: http://HOST:PORT (HTTP/1.1) or h2c://HOST:PORT (HTTP/2).
The address that is being captured is refused. The log may be in use; nothing
is written to it. --before brings the target into its state: a URL, to which is
POSTed, or a command for sh, which finds the target's host:port in VERBATIM_TARGET.

A target that reads the system's time instead can be started by verbatim run with
a frozen clock: --clock names its file, which is set to each event's recorded time
before the event is sent.

The verdict (docs/replay.md says what each rests on):

  VERIFIED          every answer is the same
  DIVERGENCE        an answer differs: the first bad offset, and what differs
  CHANGED           two replays agree, and differ from the log (--twice)
  NONDETERMINISTIC  two replays differ from each other: in which fields (--twice)
  TAMPERED          the chain is broken, or a root is not the one that you trust:
                    nothing is sent
  CANNOT_TELL       something else can explain it, or the target can't be reached

What is compared is the answers: effects outside them, such as the pipeline's own
calls, are not.

A selection leaves out requests that the pipeline got before. Where state is shared,
answers differ without them, and the verdict is CANNOT_TELL: --warm-from 0 sends all
others too, in their order, without comparing their answers.

Each answer is compared under the ignore policy that the log sealed for it.
--ignore names a file with another one, in the form of the setting ignore: both
sides are brought under it, and the verdict says that it is not the sealed one.

The flags by which verbatim verify is told what you trust work here, too: with
--trusted-root, --checkpoint or --anchors a log that was rewritten is TAMPERED, and
CHANGED says nothing of it.

--evidence writes a file about an answer that differs, which verbatim verify-evidence
explains without the log: it proves what was recorded, and holds what was answered now.
Like the log it holds credentials.

Ctrl-C ends a replay with a verdict over what was compared.

Exit codes: 0 verified; 1 tampered, diverged, changed or nondeterministic; 2 cannot
tell, or bad input.`

func replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay --log DIR --target URL",
		Args:  flagsAlone,
		Short: "Send the recorded requests again and compare the answers",
		Long:  replayLong,
		Example: `  verbatim replay --log DIR --target http://127.0.0.1:8081
  verbatim replay --log DIR --target http://127.0.0.1:8081 --meter meter-00017 --json
  verbatim replay --log DIR --target http://127.0.0.1:8081 --target http://127.0.0.1:8082 --twice --junit replay.xml`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.execute(cmd) },
	}
	f.log.bind(c.Flags())
	f.targets.bind(c.Flags())
	c.Flags().StringVar(&f.image, "target-image", "", "`digest` of the image that the target runs, to compare with the recorded one")
	c.Flags().StringVar(&f.clock, "clock", "", "`file` of the target's frozen clock, of verbatim run; set to each event's time")
	f.selection.bind(c.Flags())
	c.Flags().Uint64Var(&f.warmFrom, "warm-from", 0, "`offset` from which on what is not selected is sent, too, and not compared")
	c.Flags().Var(&f.pace, "pace", "`how` fast requests follow each other: max, recorded, or a factor such as x10")
	f.trust.bind(c.Flags())
	c.Flags().DurationVar(&f.timeout, "timeout", replay.DefaultTimeout, "bound of one request")
	c.Flags().BoolVar(&f.all, "all", false, "go on after the first difference, and count them")
	c.Flags().StringVar(&f.evidence, "evidence", "", "new `file` for the evidence of a divergence")
	c.Flags().StringVar(&f.ignore, "ignore", "", "`file` with an ignore policy for both sides, like the setting ignore; without: the sealed one")
	c.MarkFlagsMutuallyExclusive("ignore", "evidence") // which is judged under the sealed policy
	f.report.bind(c.Flags())
	require(c, "log", "target")
	return c
}

func (f *replayFlags) execute(cmd *cobra.Command) error {
	sel, err := f.selection.selection(cmd.Flags())
	if err != nil {
		return err
	}
	if err := f.targets.check(); err != nil {
		return err
	}
	var proof divergenceProof
	if err := proof.check(f.evidence); err != nil {
		return err
	}
	r := &replayReport{}
	if err := f.run(cmd, sel, &proof, r); err != nil {
		return err
	}
	if err := f.report.write(cmd.OutOrStdout(), r); err != nil {
		return err
	}
	proof.print(cmd.ErrOrStderr())
	switch r.GetResult() {
	case auditv1.ReplayResult_REPLAY_RESULT_VERIFIED:
		return nil
	case auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL:
		return errCannotTell
	}
	return errFinding
}

func (f *replayFlags) run(cmd *cobra.Command, sel query.Selection, proof *divergenceProof, r *replayReport) error {
	ctx := cmd.Context()
	roots, err := f.trust.read()
	if err != nil {
		return err
	}
	ignore, err := readIgnore(f.ignore)
	if err != nil {
		return err
	}
	v, captured, done, err := f.log.open(ctx, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer done()
	if err := f.targets.refuseCaptured(ctx, captured); err != nil {
		return err
	}
	clock, err := openClock(f.clock)
	if err != nil {
		return err
	}
	witness, err := f.trust.witness(ctx, v)
	if err != nil {
		return err
	}
	progress := &replayProgress{w: cmd.ErrOrStderr(), replays: 1}
	defer progress.end()
	o := replay.Options{
		Selection: sel, TargetImage: f.image, All: f.all, Timeout: f.timeout, Pace: f.pace.pace, Trusted: roots, Witness: witness,
		Ignore: ignore, Clock: clock,
		Total: progress.total, Sending: progress.sending, Emit: r.add, Diverged: proof.diverged,
	}
	first, second := f.targets.open(ctx, cmd.ErrOrStderr())
	if o.Target = first; second != nil {
		o.Second, progress.replays = second, 2
	}
	if cmd.Flags().Changed("warm-from") {
		o.WarmFrom = &f.warmFrom
	}
	if r.AuditReplayResponse, err = replay.Run(ctx, v, o); err != nil {
		return err
	}
	proof.writeSynced(context.WithoutCancel(ctx), v, r.GetReason(), f.image)
	return nil
}

package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes, the same for every command.
const (
	exitOK       = 0 // done; verified
	exitFinding  = 1 // divergence, broken chain
	exitNoAnswer = 2 // bad input, can't be carried out, cannot tell
)

const exitCodes = `Exit codes: 0 done, verified; 1 a divergence or a broken chain; 2 bad input,
or it can't be told.`

// errFinding ends a command with exit code 1; what was found is printed already.
var errFinding = errors.New("finding")

// errCannotTell ends a command with exit code 2; the reason is printed already.
var errCannotTell = errors.New("cannot tell")

// execute runs the command line and returns its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot(args...)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFinding):
		return exitFinding
	case !errors.Is(err, errCannotTell) && !readerLeft(err):
		// One line, also for errors that were joined.
		_ = printLine(stderr, "verbatim: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return exitNoAnswer
}

// readerLeft says whether nobody reads the output any more. Whoever left knows.
func readerLeft(err error) bool {
	var failed *fs.PathError
	return errors.As(err, &failed) && failed.Path == standardOutput.Name() && errors.Is(failed.Err, syscall.EPIPE)
}

// commands make what the root is a group of.
var commands = map[string]func() *cobra.Command{
	"anchor": anchorCommand, "archive": archiveCommand, "backup": backupCommand, "checkpoint": checkpointCommand,
	"config": configCommand, "doctor": doctorCommand, "export": exportCommand, "fsck": fsckCommand, "hold": holdCommand,
	"init": initCommand, "key": keyCommand, "prove": proveCommand, "prune": pruneCommand, "query": queryCommand,
	"replay": replayCommand, "restore": restoreCommand, "run": runCommand, "serve": serveCommand, "status": statusCommand,
	"verify": verifyCommand, "verify-evidence": verifyEvidenceCommand,
}

// newRoot makes the command line, or the part of it that args begin with.
func newRoot(args ...string) *cobra.Command {
	root := &cobra.Command{
		Use:   "verbatim",
		Short: "Prove what a telemetry pipeline did",
		Long: `verbatim stands beside a pipeline in the mesh. Envoy hands it every exchange;
it records them in a hash-chained log, seals the log, and can later drive the
recorded requests back into the unchanged pipeline and compare the answers.

  verbatim init --log DIR          make a log, once
  verbatim config envoy ...        print Envoy's configuration
  verbatim serve --log DIR ...     record
  verbatim verify --log DIR        check every link and footer
  verbatim replay --log DIR ...    check that the pipeline gives the same answers
  verbatim prove --log DIR ...     write a file that proves one exchange elsewhere

` + exitCodes,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(badFlag)
	if len(args) > 0 && commands[args[0]] != nil {
		root.CompletionOptions.DisableDefaultCmd = true // not what args begin with either
		return group(root, commands[args[0]]())
	}
	var all []*cobra.Command
	for _, command := range commands {
		all = append(all, command())
	}
	return group(root, all...)
}

// version is the module's, and the commit it was built from where known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v += " " + s.Value
		}
	}
	return v
}

// Command demo shows verbatim's main job once, for real: a real Envoy captures
// the example pipeline's traffic, the log chains it, and a replay into a fresh
// pipeline verifies it. Then one byte of a copy is flipped, and verification has
// to name the entry.
//
// It guarantees that every program it started has ended and that its directory,
// under .build of the clone, is gone when it ends, on a signal too. After
// SIGKILL the kernel ends the programs, and the directory stays. Figures it
// prints are those of one run on one machine: they are no benchmark.
//
// Exit status: 0 all is as expected, 1 a check failed, 2 the demo could not run,
// 130 it was interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/term"

	"verbatim/tests/mesh"
)

// The exit statuses.
const (
	exitExpected    = 0
	exitCheckFailed = 1
	exitCouldNotRun = 2
	exitInterrupted = 130
)

// errCheck marks what the demo exists to show and did not find.
var errCheck = errors.New("check failed")

func main() {
	// A reader of our output that goes first, such as tee at Ctrl-C, must not end
	// us before we have cleaned up. And verbatim, in a process group of its own,
	// may draw its progress bar on a terminal with tostop: ignoring is inherited.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGTTOU)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	status := run(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}

// run is the program without its process: it returns the exit status.
func run(ctx context.Context, args []string) int {
	s, err := parse(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitExpected
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return exitCouldNotRun
	}
	d := &demo{settings: s, out: os.Stdout, errOut: os.Stderr, terminal: term.IsTerminal(int(os.Stdout.Fd()))}
	err = d.run(ctx)
	status := exitStatus(ctx, err)
	switch status {
	case exitExpected:
		fmt.Fprintln(d.out, "\nDemo: all is as expected.")
	case exitInterrupted:
		fmt.Fprintln(d.errOut, "\ndemo: interrupted; all programs are stopped, nothing is left behind")
	default:
		fmt.Fprintln(d.errOut, "\ndemo:", err)
	}
	return status
}

// exitStatus is for an error of demo.run, or nil.
func exitStatus(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitExpected
	case errors.Is(err, errCleanUp):
		return exitCouldNotRun
	case errors.Is(err, errCheck):
		return exitCheckFailed
	case ctx.Err() != nil:
		return exitInterrupted
	}
	return exitCouldNotRun
}

// settings are what the flags say.
type settings struct {
	root                        string // of the clone
	verbatim, pipeline          string // built programs
	events, connections, meters int
	keep                        bool
}

func parse(args []string, stderr io.Writer) (settings, error) {
	root, err := mesh.Root()
	if err != nil {
		return settings{}, err
	}
	s := settings{root: root}
	keep := os.Getenv("KEEP")
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.verbatim, "verbatim", filepath.Join(root, ".build", "verbatim"), "the built cmd/verbatim, a `path`")
	flags.StringVar(&s.pipeline, "pipeline", filepath.Join(root, ".build", "pipeline"), "the built tests/pipeline, a `path`")
	flags.IntVar(&s.events, "events", 10_000, "how many meter events are sent")
	flags.IntVar(&s.connections, "connections", 16, "how many connections send at once")
	flags.IntVar(&s.meters, "meters", 200, "how many meters the events go round")
	flags.BoolVar(&s.keep, "keep", keep != "" && keep != "0", "leave everything running until Ctrl-C and print commands to try; KEEP=1 in the environment does the same")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	return s, s.check(flags.Args())
}

func (s settings) check(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("argument %q is not understood: see --help", rest[0])
	}
	if s.events < 1 || s.connections < 1 || s.meters < 1 {
		return errors.New("--events, --connections and --meters must be at least 1")
	}
	for _, path := range []string{s.verbatim, s.pipeline} {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("find built program: %w: run make build", err)
		}
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"verbatim/sidecar/frozenclock"
)

// runFlags are the settings of a program with a frozen clock.
type runFlags struct {
	frozen                bool
	clock, library, start string
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run --frozen-clock [flags] -- COMMAND [ARG...]",
		Short: "Start a pipeline under a clock that others set",
		Long: `Starts COMMAND with a clock that stands still: it shows what the file --clock
says, from --start on. A pipeline that reads the system's time and not the
clock header then sees each event's recorded time, at a replay

  verbatim replay --clock FILE ...

and, so that the recording sees the same times, when it is recorded

  verbatim serve --frozen-clock FILE --ordering global ...

COMMAND takes this process's place: signals and the exit code are its own. It
needs libfaketime (Debian's package faketime). Refused is what that is known not
to reach: programs that are statically linked or written in Go, or that are
started with more rights than their caller. Of a script its interpreter is
looked at; what COMMAND starts in turn is not. The monotonic clock, by which
programs wait, and the times of files stay real.

Exit codes: COMMAND's own; 2 bad input.`,
		Example: `  verbatim run --frozen-clock --clock FILE -- uvicorn service:app --port 8081
  verbatim replay --log DIR --target http://127.0.0.1:8081 --clock FILE`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !f.frozen {
				return errors.New("--frozen-clock is not given: run has no other way to start a program; see verbatim run --help")
			}
			if len(args) == 0 {
				return errors.New("no command is given: say it behind --, or see verbatim run --help")
			}
			return f.run(cmd.ErrOrStderr(), args)
		},
	}
	c.Flags().SetInterspersed(false) // what comes behind COMMAND is its own
	c.Flags().BoolVar(&f.frozen, "frozen-clock", false, "start it under a frozen clock")
	c.Flags().StringVar(&f.clock, "clock", "verbatim.clock", "`file` of the clock, made where it is missing")
	c.Flags().StringVar(&f.library, "library", "", "libfaketime's `file`, libfaketimeMT.so.1; empty: where distributions put it")
	c.Flags().StringVar(&f.start, "start", time.UnixMilli(frozenclock.DefaultStart).UTC().Format(time.RFC3339), "`time` until the first event")
	return c
}

// run returns only if COMMAND could not be started.
func (f *runFlags) run(stderr io.Writer, args []string) error {
	start, err := parseTime("start", f.start)
	if err != nil {
		return err
	}
	program, err := exec.LookPath(args[0])
	if err != nil {
		return fmt.Errorf("find command: %w", err)
	}
	library, err := frozenclock.Find(f.library)
	if err != nil {
		return err
	}
	if program, err = filepath.Abs(program); err != nil {
		return fmt.Errorf("find command: %w", err)
	}
	if err := library.Check(program); err != nil {
		return err
	}
	clock, err := frozenclock.Open(f.clock)
	if err != nil {
		return err
	}
	if err := clock.Set(start); err != nil {
		return err
	}
	if library.Old {
		_ = printLine(stderr, "verbatim: %s is older than 0.9.11: a sleep until a time fails under it, such as time.sleep of Python 3.11 and newer", library.Path)
	}
	_ = printLine(stderr, "verbatim: the clock of %s stands at %s until %s is set", args[0], f.start, clock.Path())
	frozenclock.ClearShared(os.Getpid()) // which COMMAND will have
	if err := syscall.Exec(program, args, library.Environment(os.Environ(), clock)); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"verbatim/tests/soroban"
)

// update writes what commands print into the scripts that compare it.
var update = flag.Bool("update", false, "update the scripts in testdata")

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"verbatim": main})
}

// leakChecked is goleak.VerifyTestMain for testscript.Main, which exits itself.
type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	if code := l.m.Run(); code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestScripts runs testdata/script. Each script has a directory of its own and
// runs the real command as a process.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Values[noteKey{}] = map[string]notes{}
			// With the race detector a process sleeps for a second before it exits.
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			e.Setenv("LONG", strings.Repeat("x", 110))
			e.Setenv("LATIN1", "\xfc")
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "soroban" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return soroban.Wanted(), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit": exits, "refuse": refuses, "await": await, "mode": mode,
			"record": record, "exchange": exchanges, "pipeline": pipeline, "stuck": stuck,
			"ledger": ledger, "forge": forged, "cut": cut, "damaged": damaged, "note": note, "kept": kept,
			"lost": lost, "lastword": lastWord, "until": until, "bucket": bucket,
		},
	})
}

// patience bounds every wait for a condition.
const patience = 30 * time.Second

// exits is "exit CODE PROGRAM ARG...": the program runs and must exit so.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || neg {
		ts.Fatalf("usage: exit CODE PROGRAM ARG...")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// refuses is "refuse ARG...": verbatim must exit with 2, print nothing, and say
// why in one line.
func refuses(ts *testscript.TestScript, neg bool, args []string) {
	exits(ts, neg, append([]string{"2", "verbatim"}, args...))
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("refused, and printed %q", out)
	}
	line, rest, whole := strings.Cut(ts.ReadFile("stderr"), "\n")
	if !whole || rest != "" || !strings.HasPrefix(line, "verbatim: ") {
		ts.Fatalf("refused, but not in one line: %q", line+"\n"+rest)
	}
}

// await is "[!] await GLOB...": it waits until a file matches each, or none does.
func await(ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for _, name := range args {
		for {
			found, err := filepath.Glob(ts.MkAbs(name))
			ts.Check(err)
			if (len(found) > 0) != neg {
				break
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				ts.Fatalf("%s: waited %v in vain", name, patience)
			}
		}
	}
}

// until is "until PATTERN PROGRAM ARG...": the program runs again and again, without an
// error, until what it prints matches.
func until(ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	wanted := regexp.MustCompile("(?m)" + args[0])
	for {
		if err := ts.Exec(args[1], args[2:]...); err != nil {
			ts.Fatalf("%v", err)
		}
		if wanted.MatchString(ts.ReadFile("stdout")) != neg {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			ts.Fatalf("%s: waited %v in vain", args[0], patience)
		}
	}
}

// mode is "mode PERM FILE...": the files have these permissions, in octal.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); (got == args[0]) == neg {
			ts.Fatalf("%s has mode %s", name, got)
		}
	}
}

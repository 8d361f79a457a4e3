package faults_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"verbatim/tests/faults"
	"verbatim/tests/mesh"
)

// suite runs scribes on copies of one log, and of what is beside it.
type suite struct {
	scenario
	scribe string
	base   string // the directory that the log is in
	words  []byte // that the scribes said who made it
}

func prepare(t *testing.T, sc scenario) *suite {
	t.Helper()
	scribe, err := mesh.Build(t.Context(), "./tests/scribe", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{scenario: sc, scribe: scribe, base: t.TempDir()}
	for _, command := range sc.before {
		s.words = append(s.words, mustRun(t, scribe, command, filepath.Join(s.base, "log"))...)
	}
	return s
}

// trial is one run of a scribe under a fault.
type trial struct {
	dir   string
	calls []string
	met   bool // the call was made
	words []byte
}

// writes leaves out what is only read: an archive, and a damaged log, in which what
// can't be read is lost.
func writes(c faults.Call) bool { return c.Path == "." || strings.HasPrefix(c.Path, "log") }

// run runs the scenario on a copy of the log in dir. The error says that the scribe
// ended otherwise than well, with a refusal, or killed by us.
func (s *suite) run(t *testing.T, dir string, f fault) (*trial, error) {
	dir = filepath.Join(dir, "trial")
	r := &trial{dir: filepath.Join(dir, "log")}
	if err := os.RemoveAll(dir); err != nil {
		return r, err
	}
	if err := os.CopyFS(dir, os.DirFS(s.base)); err != nil {
		return r, err
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), s.scribe, s.command, r.dir)
	// Fewer signals and threads: the calls come in much the same order each time.
	cmd.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=2")
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := faults.Run(cmd, dir, func(c faults.Call) faults.Outcome {
		if !writes(c) {
			return faults.Pass
		}
		r.calls = append(r.calls, name(c))
		if name(c) != f.call {
			return faults.Pass
		}
		r.met = true
		return f.outcome
	})
	r.words = append(bytes.Clone(s.words), out.Bytes()...)
	if err != nil && !expected(err, f.outcome) && !aborted(f, errs.String()) {
		return r, fmt.Errorf("the scribe ended with %w: %s", err, first(errs.String()))
	}
	return r, nil
}

func expected(err error, o faults.Outcome) bool {
	const refused = 3
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status := exit.Sys().(syscall.WaitStatus)
	return exit.ExitCode() == refused || o.Kill && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// aborted: RocksDB's repair ends the process when it can't write its list of files. It
// works on a copy, so that is no worse than a kill.
func aborted(f fault, printed string) bool {
	return strings.Contains(f.call, "log.scratch-*/db/MANIFEST-") && strings.Contains(printed, "Assertion `cfd->initialized()' failed")
}

// first is the beginning of what a program printed when it crashed.
func first(text string) string {
	lines := strings.SplitN(text, "\n", 12)
	return strings.Join(lines[:min(len(lines), 11)], "\n")
}

// check has another scribe examine what is there now.
func (s *suite) check(t *testing.T, r *trial) error {
	cmd := exec.CommandContext(t.Context(), s.scribe, "check", r.dir, s.command)
	cmd.Stdin = bytes.NewReader(r.words)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("what is there was examined: %w: %s", err, first(string(out)))
	}
	return nil
}

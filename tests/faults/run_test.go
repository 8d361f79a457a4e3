package faults_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"verbatim/tests/faults"
)

// shell runs a script in a directory and gives the first call with that name, if any,
// an outcome.
func shell(t *testing.T, dir, script, call string, o faults.Outcome) (calls []string, out string, err error) {
	t.Helper()
	var printed strings.Builder
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir = filepath.Dir(dir)
	cmd.Stdout, cmd.Stderr = &printed, &printed
	met := false
	err = faults.Run(cmd, dir, func(c faults.Call) faults.Outcome {
		calls = append(calls, c.String())
		if c.Name != call || met {
			return faults.Pass
		}
		met = true
		return o
	})
	return calls, printed.String(), err
}

func TestCallsBelowTheDirectoryAreTold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	calls, out, err := shell(t, dir, `mkdir log; echo one >log/a; echo two >>log/a; mv log/a log/b; cat log/b >beside; ln log/b beside2; rm log/b; echo x >`+dir+`/c`, "", faults.Pass)
	if err != nil {
		t.Fatal(err, out)
	}
	// Which variant of a call a program uses is its own business.
	var got []string
	for _, c := range calls {
		name, rest, _ := strings.Cut(c, " ")
		got = append(got, strings.TrimSuffix(strings.TrimSuffix(name, "2"), "at")+" "+rest)
	}
	want := []string{
		"mkdir . #0", "open a #0", "write a #0", "open a #1", "write a #1", "rename a #0",
		"open b #0", "link b #0", "unlink b #0", "open c #0", "write c #0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOutcomes(t *testing.T) {
	const script = `echo hello >log/a && mv log/a log/b && echo done`
	for name, c := range map[string]struct {
		call string
		o    faults.Outcome
		left string // the files and what they hold
	}{
		"passed":            {"write", faults.Pass, "b=hello\n"},
		"write fails":       {"write", faults.Outcome{Errno: unix.ENOSPC}, "a="},
		"write done, fails": {"write", faults.Outcome{Errno: unix.EIO, Done: true}, "a=hello\n"},
		"write half done":   {"write", faults.Outcome{Errno: unix.EIO, Half: true}, "a=hel"},
		"killed at a write": {"write", faults.Outcome{Kill: true}, "a="},
		"killed in a write": {"write", faults.Outcome{Kill: true, Half: true}, "a=hel"},
		"open fails":        {"openat", faults.Outcome{Errno: unix.EIO}, ""},
		"open done, fails":  {"openat", faults.Outcome{Errno: unix.EIO, Done: true}, "a="},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "log")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			_, out, err := shell(t, dir, script, c.call, c.o)
			if killed(err) != c.o.Kill || !c.o.Kill && (err == nil) != (c.o == faults.Pass) {
				t.Errorf("ended with %v: %s", err, out)
			}
			if got := holds(t, dir); got != c.left {
				t.Errorf("left is %q, want %q", got, c.left)
			}
		})
	}
}

func killed(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}

// holds are a directory's files, each as NAME=CONTENT.
func holds(t *testing.T, dir string) (text string) {
	t.Helper()
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join(dir, n.Name()))
		if err != nil {
			t.Fatal(err)
		}
		text += n.Name() + "=" + string(b)
	}
	return text
}

func TestAProgramThatDoesNotStart(t *testing.T) {
	err := faults.Run(exec.CommandContext(t.Context(), "/no/such/program"), filepath.Join(t.TempDir(), "log"), func(faults.Call) faults.Outcome {
		t.Error("it made a call")
		return faults.Pass
	})
	if !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

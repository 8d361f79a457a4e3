package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"verbatim/tests/mesh"
)

// waitTimeout bounds each wait for the demo; it is generous, since tests of other
// packages run at the same time.
const waitTimeout = 3 * time.Minute

// program is a demo that runs, in a process group of its own.
type program struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended

	mu  sync.Mutex
	out bytes.Buffer // stdout and stderr
}

// Write takes what the demo prints.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *program) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// start starts the built demo. It is ended with the test if it still runs.
func start(t *testing.T, verbatim string, args ...string) *program {
	t.Helper()
	args = append([]string{"--verbatim", verbatim, "--pipeline", mesh.Binary(t, "./tests/pipeline")}, args...)
	p := &program{cmd: exec.Command(mesh.Binary(t, "./tests/demo"), args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.Env = append(os.Environ(), "KEEP=")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the demo
		_ = p.cmd.Wait() // ends looks at the state
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.done
	})
	return p
}

func (p *program) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// ends waits for the end and wants this exit status and no directory left.
func (p *program) ends(t *testing.T, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
		t.Fatalf("the demo does not end:\n%s", p.text())
	}
	if got := p.cmd.ProcessState.ExitCode(); got != status {
		t.Fatalf("exit status %d, want %d:\n%s", got, status, p.text())
	}
	dir := p.match(t, `Everything this writes is in (\S+) until`)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

// await waits until what the demo printed matches.
func (p *program) await(t *testing.T, pattern string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	err := mesh.Poll(ctx, pattern, func() (bool, error) {
		select {
		case <-p.done:
			return false, errors.New("the demo has ended")
		default:
		}
		return regexp.MustCompile(pattern).MatchString(p.text()), nil
	})
	if err != nil {
		t.Fatalf("%v:\n%s", err, p.text())
	}
}

// match returns the first group of a pattern in what the demo printed.
func (p *program) match(t *testing.T, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(p.text())
	if found == nil {
		t.Fatalf("the output lacks %q:\n%s", pattern, p.text())
	}
	return found[1]
}

// child is a program that the demo started. The start time tells it from a later
// one with its id.
type child struct{ pid, started string }

// children lists the demo's children that run.
func (p *program) children(t *testing.T) []child {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var children []child
	for _, path := range stats {
		pid := filepath.Base(filepath.Dir(path))
		if parent, started := stat(pid); parent == strconv.Itoa(p.cmd.Process.Pid) {
			children = append(children, child{pid, started})
		}
	}
	return children
}

// isGone waits until the program has ended.
func (c child) isGone(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	err := mesh.Poll(ctx, "process "+c.pid+" to end", func() (bool, error) {
		_, started := stat(c.pid)
		return started != c.started, nil
	})
	if err != nil {
		t.Error(err)
	}
}

// stat reads a process's parent and start time from /proc/PID/stat, see proc(5).
// Both are empty if it has ended.
func stat(pid string) (parent, started string) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return "", ""
	}
	_, after, _ := strings.Cut(string(text), ") ") // the name before it may have spaces
	fields := strings.Fields(after)
	if len(fields) < 20 || fields[0] == "Z" {
		return "", ""
	}
	return fields[1], fields[19]
}

// exitCode is that of a command that ran, -1 for one that did not end by itself.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

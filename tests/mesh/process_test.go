package mesh

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// shell returns options that run a shell script.
func shell(t *testing.T, script string) ProcessOptions {
	t.Helper()
	return shellIn(t.TempDir(), script)
}

func shellIn(dir, script string) ProcessOptions {
	return ProcessOptions{
		Name: "script", Path: "/bin/sh", Args: []string{"-c", script}, Dir: dir,
		Ready: regexp.MustCompile(`^ready (\d+)$`),
	}
}

func TestReadyLine(t *testing.T) {
	for name, script := range map[string]string{
		"stdout":   "echo ready 7; exec cat /dev/zero >/dev/null",
		"stderr":   "echo noise; echo ready 7 >&2; exec cat /dev/zero >/dev/null",
		"in parts": "printf 'noise\\nrea'; printf 'dy 7\\nmore\\n'; exec cat /dev/zero >/dev/null",
	} {
		t.Run(name, func(t *testing.T) {
			p, err := StartProcess(t.Context(), shell(t, script))
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Match) != 2 || p.Match[1] != "7" {
				t.Errorf("Match = %q, want the number 7", p.Match)
			}
			assertStops(t, p)
		})
	}
}

func TestProcessThatIsNeverReady(t *testing.T) {
	_, err := StartProcess(t.Context(), shell(t, "echo the reason; exit 3"))
	if err == nil || !strings.Contains(err.Error(), "the reason") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("StartProcess = %v, want the exit status and the output", err)
	}
	if _, err := StartProcess(t.Context(), shell(t, "exit 0")); !errors.Is(err, errEarly) {
		t.Errorf("StartProcess = %v, want errEarly", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := StartProcess(ctx, shell(t, "exec cat /dev/zero >/dev/null")); !errors.Is(err, context.Canceled) {
		t.Errorf("StartProcess = %v, want context.Canceled", err)
	}
	missing := shell(t, "")
	missing.Path = "/nonexistent/program"
	if _, err := StartProcess(t.Context(), missing); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("StartProcess = %v, want os.ErrNotExist", err)
	}
}

func TestStopReportsFailure(t *testing.T) {
	p, err := StartProcess(t.Context(), shell(t, `trap 'echo cannot; exit 4' TERM; echo ready 1; while :; do :; done`))
	if err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := p.Stop(); !errors.As(err, &exit) || exit.ExitCode() != 4 || !strings.Contains(err.Error(), "cannot") {
		t.Errorf("Stop = %v, want exit status 4 and the output", err)
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	p, err := StartProcess(t.Context(), shell(t, `trap '' TERM; echo ready 1; exec cat /dev/zero >/dev/null`))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.stop(0); !errors.Is(err, ErrKilled) || runs(p.PID()) {
		t.Errorf("stop = %v, want ErrKilled and no process", err)
	}
}

func TestOwnProcessGroup(t *testing.T) {
	p, err := StartProcess(t.Context(), shell(t, "echo ready 1; exec cat /dev/zero >/dev/null"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	if group, err := syscall.Getpgid(p.PID()); err != nil || group != p.PID() {
		t.Errorf("process group %d (%v), want its own, %d", group, err, p.PID())
	}
}

// helperVariable makes this test binary a parent that starts a child, with the
// variable's value as directory, prints the child's pid and waits to be killed.
const helperVariable = "VERBATIM_MESH_TEST_PARENT"

func TestChildDiesWithParent(t *testing.T) {
	if dir := os.Getenv(helperVariable); dir != "" {
		child, err := StartProcess(t.Context(), shellIn(dir, "echo ready 1; exec cat /dev/zero >/dev/null"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stdout.WriteString("child " + strconv.Itoa(child.PID()) + "\n"); err != nil {
			t.Fatal(err)
		}
		t.Fatalf("the child ended before its parent was killed: %v", child.Wait())
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestChildDiesWithParent$")
	parent.Env = append(os.Environ(), helperVariable+"="+t.TempDir())
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	pid, err2 := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "child ")))
	if err := errors.Join(err, err2); err != nil {
		t.Fatalf("read the child's pid from %q: %v", line, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	err = Poll(t.Context(), "the child to die", func() (bool, error) { return !runs(pid), nil })
	if err != nil {
		t.Error(err)
	}
}

// runs says whether a process runs. One that has ended may stay as a zombie
// until init collects it.
func runs(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}

package clouds

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// TestEachRequestFailsOnce: each request is refused, or its answer is lost. The program
// says so or tries again. What was archived by halves is whole after the next run, and
// of what is read nothing is said to be missing.
func TestEachRequestFailsOnce(t *testing.T) {
	for name, start := range servers {
		for kind, f := range map[string]fault{"refused": refuse, "answer lost": lose} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				s, err := start(context.WithoutCancel(t.Context()))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(s.stop)
				g := startGate(t, s.address, f)
				eachWriteFails(t, s, g)
				eachReadFails(t, s, g)
			})
		}
	}
}

func eachWriteFails(t *testing.T, s *server, g *gate) {
	requests := int64(1)
	for n := int64(0); n <= requests; n++ { // first without a fault, to count
		prefix, log := fmt.Sprintf("%d/", n), filepath.Join(t.TempDir(), "log")
		if err := os.CopyFS(log, os.DirFS(goldenLog(t))); err != nil {
			t.Fatal(err)
		}
		archived := func() (out string, code int) {
			url, env := s.client(g.address, prefix)
			return run(t, env, "archive", "--log", log, "--to", url)
		}
		g.failAt(n)
		out, code := archived()
		if n == 0 {
			requests = g.seen.Load()
		}
		if g.seen.Load() < n || requests < 8 || code == 0 != (n == 0 || g.fault == lose && whole.MatchString(out)) {
			t.Errorf("request %d of %d failed: exit %d: %s", n, requests, code, out)
		}
		if code != 0 && (code != 2 || !sentence.MatchString(out)) {
			t.Errorf("request %d failed: exit %d, want 2 and a sentence: %s", n, code, out)
		}
		g.failAt(0)
		if out, code := archived(); code != 0 || !whole.MatchString(out) {
			t.Errorf("after request %d failed: exit %d: %s", n, code, out)
		}
		url, env := s.client(s.address, prefix)
		if out, code := run(t, env, "verify", "--log", url); code != 0 {
			t.Errorf("after request %d failed, what is archived: exit %d: %s", n, code, out)
		}
	}
	t.Logf("%d requests to write", requests)
}

// eachReadFails reads what eachWriteFails archived first.
func eachReadFails(t *testing.T, s *server, g *gate) {
	url, env := s.client(g.address, "0/")
	requests := int64(1)
	for n := int64(0); n <= requests; n++ {
		g.failAt(n)
		out, code := run(t, env, "verify", "--log", url)
		if n == 0 {
			requests = g.seen.Load()
		}
		again := n == 0 || g.fault == lose && code == 0
		if g.seen.Load() < n || requests < 4 || !again && (code != 2 || !sentence.MatchString(out) || missing.MatchString(out)) {
			t.Errorf("request %d of %d failed: exit %d, want 2 and a sentence: %s", n, requests, code, out)
		}
	}
	t.Logf("%d requests to read", requests)
}

var (
	missing  = regexp.MustCompile(`is missing|no archive`)
	whole    = regexp.MustCompile(`(?m)^archived +offsets 128 to 420, of log 0101`)
	sentence = regexp.MustCompile(`^verbatim: [^\n]+\n$`)
)

// run runs the program to its end, and returns what it printed.
func run(t *testing.T, env map[string]string, args ...string) (output string, code int) {
	t.Helper()
	c := exec.CommandContext(t.Context(), program(t), args...)
	c.Env = os.Environ()
	for name, value := range env {
		c.Env = append(c.Env, name+"="+value)
	}
	var b bytes.Buffer
	c.Stdout, c.Stderr = &b, &b
	if err := c.Run(); err != nil && !c.ProcessState.Exited() {
		t.Fatal(err)
	}
	return b.String(), c.ProcessState.ExitCode()
}

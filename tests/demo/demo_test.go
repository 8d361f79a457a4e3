package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"verbatim/tests/mesh"
	"verbatim/tests/soroban"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(mesh.Main(m)) }

const hash = `([0-9a-f]{64})`

func TestDemo(t *testing.T) {
	p := start(t, mesh.Binary(t, "./cmd/verbatim"), "--events", "300", "--meters", "20")
	p.ends(t, exitExpected)
	out := p.text()
	for _, want := range []string{
		`100%  300 of 300 events`,
		`  events +300, all answered`,
		`  entries +60\d, every link checked`,
		`  checkpoints +1, output roots equal in 1 of 1`,
		`  chain root +` + hash + `\n`,
		`  result +VERIFIED: all 300 answers`,
		`  recording +[1-9]\d* events/s`,
		`  replay +[1-9]\d* events/s, one at a time: \d+\.\d times real time`,
		`  latency p50 +\d+\.\d\d ms with recording, \d+\.\d\d ms without: -?\d+\.\d\d ms added`,
		`  latency p99 +\d+\.\d\d ms with recording`,
		`compared is the answers`,
		`this machine`,
		`Demo: all is as expected\.`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("the output lacks %q", want)
		}
	}
	recorded, replayed := p.match(t, `output root, recorded +`+hash), p.match(t, `output root, replayed +`+hash)
	if recorded != replayed {
		t.Errorf("output roots %s and %s are printed with VERIFIED", recorded, replayed)
	}
	if soroban.Wanted() {
		p.match(t, `  (checkpoints): \d+, of which [1-9]\d* confirmed on contract C\w+, \d+ covered by a later one; fees [1-9]\d* stroops`)
		p.match(t, `  verbatim verify --anchors: (ANCHORED), offsets 0 to \d+, in ledger \d+\n`)
		p.match(t, `  verbatim verify: (finds nothing)`)
		p.match(t, `  verbatim verify --anchors: (offset \d+: anchored-root: THE LOG IS NOT THE ONE THAT WAS PUBLISHED)`)
	} else {
		p.match(t, `(LEFT OUT: the public anchor)`)
	}
	flipped := p.match(t, `flipped one bit in byte \d+ of the entry at offset (\d+), a Response`)
	if named := p.match(t, `verbatim verify: offset (\d+): link: `); named != flipped {
		t.Errorf("offset %s was changed, and verify names %s", flipped, named)
	}
	if t.Failed() {
		t.Log(out)
	}
}

// TestFailedChecks has a verbatim that answers wrongly in one respect.
func TestFailedChecks(t *testing.T) {
	for name, c := range map[string]struct {
		when, answer, want string
		status             int
	}{
		"divergence":          {"replay", `{"result":"DIVERGENCE","reason":"of the tariff"}`, "DIVERGENCE: of the tariff", exitCheckFailed},
		"log not verified":    {"verify", `{"ok":false,"findings":[{"offset":7,"code":"link"}]}`, "offset 7: link", exitCheckFailed},
		"tampering unnoticed": {"verify*tampered", `{"ok":true}`, "found nothing", exitCheckFailed},
		"another offset":      {"verify*tampered", `{"ok":false,"findings":[{"offset":7}]}`, "names offset 7", exitCheckFailed},
		"nothing printed":     {"replay", ``, "run verbatim replay", exitCouldNotRun},
		"no log":              {"init", ``, "run verbatim init", exitCouldNotRun},
		"no sidecar":          {"serve", ``, "start verbatim-serve", exitCouldNotRun},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, wrapped(t, c.when, c.answer), "--events", "20", "--connections", "2")
			p.ends(t, c.status)
			if !strings.Contains(p.text(), c.want) {
				t.Errorf("the output lacks %q:\n%s", c.want, p.text())
			}
		})
	}
}

// wrapped is verbatim, except that it prints answer and fails when its arguments
// begin with the shell pattern when.
func wrapped(t *testing.T, when, answer string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "verbatim")
	script := "#!/bin/sh\ncase \"$*\" in " + when + "*) printf '%s' '" + answer + "'; exit 1;; esac\nexec " + mesh.Binary(t, "./cmd/verbatim") + " \"$@\"\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInterrupted(t *testing.T) {
	for name, c := range map[string]struct {
		signal syscall.Signal
		when   string
	}{
		"without verbatim": {syscall.SIGINT, `(?s)1\. Without.* 10%`},
		"while recording":  {syscall.SIGINT, `(?s)2\. Recording.* 10%`},
		"terminated":       {syscall.SIGTERM, `(?s)2\. Recording.* 10%`},
		"hung up":          {syscall.SIGHUP, `(?s)2\. Recording.* 10%`},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, mesh.Binary(t, "./cmd/verbatim"), "--events", "3000")
			p.await(t, c.when)
			children := p.children(t)
			if len(children) < 2 {
				t.Fatalf("%d programs run while events are sent:\n%s", len(children), p.text())
			}
			p.signal(t, c.signal)
			p.ends(t, exitInterrupted)
			for _, child := range children {
				child.isGone(t)
			}
		})
	}
}

func TestKeep(t *testing.T) {
	p := start(t, mesh.Binary(t, "./cmd/verbatim"), "--events", "50", "--keep")
	p.await(t, `Ctrl-C stops it all`)
	children := p.children(t)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post(p.match(t, `curl --json .* (http://\S+)`), "application/json", strings.NewReader(p.match(t, `curl --json '(.*)'`)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("a reading through Envoy: status %d, %v: %s", resp.StatusCode, err, body)
	}
	if resp, err = client.Get(p.match(t, `curl (http://\S+/metrics)`)); err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("metrics: %v, %v", resp, err)
	}
	for command, c := range map[string]struct {
		status int
		want   string
	}{
		`( query .*)`:                        {0, "response"},
		`footer\n.*( verify .*)`:             {0, "chain root"},
		`VERIFIED\n.*( replay .*)`:           {0, "VERIFIED: all 51"},
		`tariff: DIVERGENCE\n.*( replay .*)`: {1, "price_micro"},
	} {
		line := p.match(t, command)
		out, err := exec.CommandContext(t.Context(), mesh.Binary(t, "./cmd/verbatim"), strings.Fields(line)...).CombinedOutput()
		if status := exitCode(err); status != c.status || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: exit status %d, want %d and %q:\n%s", line, status, c.status, c.want, out)
		}
	}
	p.signal(t, syscall.SIGINT)
	p.ends(t, exitExpected)
	for _, child := range children {
		child.isGone(t)
	}
}

func TestRefusedFlags(t *testing.T) {
	verbatim := mesh.Binary(t, "./cmd/verbatim")
	for want, args := range map[string][]string{
		"must be at least 1":                {"--events", "0"},
		`argument "more" is not understood`: {"more"},
		"run make build":                    {"--pipeline", "/nonexistent"},
		"not defined: -x":                   {"-x"},
	} {
		cmd := exec.CommandContext(t.Context(), mesh.Binary(t, "./tests/demo"), append([]string{"--verbatim", verbatim, "--pipeline", verbatim}, args...)...)
		out, err := cmd.CombinedOutput()
		if exitCode(err) != exitCouldNotRun || !strings.Contains(string(out), want) {
			t.Errorf("demo %v: %v, want exit status 2 and %q:\n%s", args, err, want, out)
		}
	}
}

func TestExitStatus(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want int
	}{
		{t.Context(), nil, exitExpected},
		{ended, nil, exitExpected},
		{ended, context.Canceled, exitInterrupted},
		{t.Context(), errCheck, exitCheckFailed},
		{ended, errCheck, exitCheckFailed},
		{ended, errCleanUp, exitCouldNotRun},
		{t.Context(), io.ErrUnexpectedEOF, exitCouldNotRun},
	} {
		if got := exitStatus(c.ctx, c.err); got != c.want {
			t.Errorf("exit status of %v, context %v: %d, want %d", c.err, c.ctx.Err(), got, c.want)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// commandGrace bounds the wait for a command that was asked to end.
const commandGrace = 10 * time.Second

// command runs verbatim to its end. If into is not nil, it gets the JSON object
// that the command prints: one that prints its verdict has not failed, whatever
// its exit status says of the verdict.
func (d *demo) command(ctx context.Context, into any, args ...string) error {
	stdout, err := d.output(ctx, args...)
	verdict := into != nil && stdout != ""
	if err != nil && !verdict {
		return err
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal([]byte(stdout), into); err != nil {
		return fmt.Errorf("read what verbatim %s printed: %w", args[0], err)
	}
	return nil
}

// output runs verbatim to its end and returns what it prints, also with an error.
func (d *demo) output(ctx context.Context, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, d.verbatim, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if slices.Contains(args, "replay") {
		cmd.Stderr = d.errOut // the file itself: a bar is drawn on a terminal alone
	}
	err := runToEnd(cmd)
	if ctx.Err() != nil {
		return "", fmt.Errorf("run verbatim %s: %w", args[0], context.Cause(ctx))
	}
	if err != nil {
		err = fmt.Errorf("run verbatim %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), err
}

func lastWord(text string) string {
	words := strings.Fields(text)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// runToEnd runs cmd so that it dies with this process and is not reached by the
// terminal's Ctrl-C: who is interrupted ends it by its context. The kernel sends
// Pdeathsig when the thread that forked ends, hence the lock.
func runToEnd(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = commandGrace
	return cmd.Run()
}

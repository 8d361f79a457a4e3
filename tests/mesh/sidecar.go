package mesh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// serving is the line by which serve says that it is ready.
var serving = regexp.MustCompile(`msg=serving .*\badmin=(\S+)`)

// SidecarOptions says which sidecar to start.
type SidecarOptions struct {
	// Binary is the built cmd/verbatim.
	Binary string
	// Log is the log's directory, made by InitLog.
	Log string
	// Socket is the path of the Unix socket; keep it short, sun_path has 108 bytes.
	Socket string
	// Pipeline is the captured pipeline's host:port.
	Pipeline string
	// Args are added to serve's arguments.
	Args []string
	// Wrap is put before the command, for instance strace with its arguments.
	Wrap []string
	// Dir gets the log file of the process.
	Dir string
}

// Sidecar is a running verbatim serve.
type Sidecar struct {
	*Process
	// Admin is the bound address of the admin port.
	Admin string
}

// InitLog makes a log.
func InitLog(ctx context.Context, binary, dir string) error {
	if out, code, err := Run(ctx, binary, "init", "--log", dir); err != nil || code != 0 {
		return fmt.Errorf("init log: exit %d: %s: %w", code, out, err)
	}
	return nil
}

// Run runs a program to its end and returns what it printed and its exit code.
func Run(ctx context.Context, binary string, args ...string) (output string, code int, err error) {
	var b bytes.Buffer
	c := exec.CommandContext(ctx, binary, args...)
	c.Stdout, c.Stderr = &b, &b
	err = c.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		err = nil
	}
	return b.String(), c.ProcessState.ExitCode(), err
}

// StartSidecar starts verbatim serve and waits until it serves.
func StartSidecar(ctx context.Context, o SidecarOptions) (*Sidecar, error) {
	args := append([]string{}, o.Wrap...)
	args = append(args, o.Binary, "serve", "--log", o.Log, "--socket", o.Socket, "--admin", "127.0.0.1:0",
		"--pipeline.address", o.Pipeline)
	args = append(args, o.Args...)
	p, err := StartProcess(ctx, ProcessOptions{Name: "sidecar", Path: args[0], Args: args[1:], Dir: o.Dir, Ready: serving})
	if err != nil {
		return nil, err
	}
	return &Sidecar{Process: p, Admin: p.Match[1]}, nil
}

// StartTestSidecar starts a sidecar for one test; the log must exist.
func StartTestSidecar(t testing.TB, o SidecarOptions) *Sidecar {
	t.Helper()
	o.Binary = Binary(t, "./cmd/verbatim")
	if o.Dir == "" {
		o.Dir = filepath.Dir(o.Socket)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	s, err := StartSidecar(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	stopAfter(t, s.Process)
	return s
}

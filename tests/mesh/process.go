package mesh

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
	"time"
)

// stopGrace is how long Stop waits between SIGTERM and SIGKILL.
const stopGrace = 30 * time.Second

// outputGrace bounds the wait for output that a program's own children hold open.
const outputGrace = 5 * time.Second

// ErrKilled is Stop's answer for a program that did not end by itself in time.
var ErrKilled = errors.New("did not stop in time and was killed")

// errEarly is the reason when a program ends, well or not, before it is ready.
var errEarly = errors.New("ended before it was ready")

// ProcessOptions says what to start.
type ProcessOptions struct {
	// Name names the program in errors and its log file, Name.log.
	Name string
	// Path and Args are the program and its arguments, without the name itself.
	Path string
	Args []string
	// Env is added to this process's environment.
	Env []string
	// Dir gets the log file. Output is appended to what is there.
	Dir string
	// Ready matches the line, on stdout or stderr, that says the program is up.
	// Nil does not wait.
	Ready *regexp.Regexp
}

// Process is a program that runs. Its methods may be called from any goroutine.
type Process struct {
	// Match is what Ready matched, with its groups.
	Match []string
	// LogPath is the file with all that the program printed.
	LogPath string

	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended and err is set
	err  error
}

// StartProcess starts a program and waits until it is ready, has ended, or ctx
// is done; in the last two cases nothing is left running.
func StartProcess(ctx context.Context, o ProcessOptions) (*Process, error) {
	logPath := filepath.Join(o.Dir, o.Name+".log")
	file, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Name, err)
	}
	out := newOutput(file, o.Ready)
	cmd := exec.CommandContext(context.WithoutCancel(ctx), o.Path, o.Args...)
	cmd.Env = append(os.Environ(), o.Env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = outputGrace
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p := &Process{LogPath: logPath, name: o.Name, cmd: cmd, done: make(chan struct{})}
	if err := p.run(file); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Name, err)
	}
	if o.Ready == nil {
		return p, nil
	}
	if err := p.awaitReady(ctx, out); err != nil {
		return nil, err
	}
	return p, nil
}

// run starts the program and a goroutine that owns it until it ends. The
// goroutine keeps its OS thread: the kernel sends Pdeathsig when the thread
// that forked ends, which may be long before the process does.
func (p *Process) run(log *os.File) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer func() { _ = log.Close() }()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.done)
		}
	}()
	return <-started
}

func (p *Process) awaitReady(ctx context.Context, out *output) error {
	select {
	case p.Match = <-out.matched:
		return nil
	case <-p.done:
		err := errors.Join(errEarly, p.err)
		return fmt.Errorf("start %s: %w: %s", p.name, err, tail(p.LogPath))
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("start %s: not ready: %w: %s", p.name, context.Cause(ctx), tail(p.LogPath))
	}
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits until the program has ended. The error is that of exec.Cmd.Wait:
// nil for exit status 0, an *exec.ExitError for another or for a signal.
func (p *Process) Wait() error {
	<-p.done
	return p.err
}

// Signal sends a signal. One to a program that has ended is no error.
func (p *Process) Signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// Stop asks the program to end by SIGTERM and waits. A program that ends by
// that signal has stopped well; another failure is an error, and so is one that
// had to be killed (ErrKilled).
func (p *Process) Stop() error { return p.stop(stopGrace) }

func (p *Process) stop(grace time.Duration) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	over := time.NewTimer(grace)
	defer over.Stop()
	select {
	case <-p.done:
	case <-over.C:
		p.Kill()
		return fmt.Errorf("stop %s: %w: %s", p.name, ErrKilled, tail(p.LogPath))
	}
	if p.err != nil && !endedBy(p.err, syscall.SIGTERM) {
		return fmt.Errorf("stop %s: %w: %s", p.name, p.err, tail(p.LogPath))
	}
	return nil
}

// Kill ends the program by SIGKILL and waits until it is gone.
func (p *Process) Kill() {
	// The only error is that the program has ended already.
	_ = p.cmd.Process.Kill()
	<-p.done
}

// endedBy says whether a program ended by signal s.
func endedBy(err error, s syscall.Signal) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == s
}

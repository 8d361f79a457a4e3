package faults

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// Run runs a command to its end and asks decide about each of its calls on files
// below dir, one at a time, from one goroutine. The error is the command's own, as
// by Cmd.Run, or says why a decision could not be carried out; then the command was
// killed. The command must not use Pdeathsig.
func Run(cmd *exec.Cmd, dir string, decide func(Call) Outcome) error {
	path, err := resolve(dir)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		// The filter stays on the thread, which ends with this goroutine.
		runtime.LockOSThread()
		ended <- run(cmd, path, decide)
	}()
	return <-ended
}

// run needs a thread of its own.
func run(cmd *exec.Cmd, dir string, decide func(Call) Outcome) error {
	listener, err := restrict()
	if err != nil {
		return err
	}
	defer unix.Close(listener) //nolint:errcheck // of no file
	// Closing over is how the program's end is told to who waits for its calls.
	over, tell, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make pipe: %w", err)
	}
	defer over.Close() //nolint:errcheck // of no file
	w := &watch{listener: listener, over: over, dir: dir, decide: decide, seen: map[string]int{}, started: make(chan struct{})}
	watched := make(chan error, 1)
	go func() { watched <- w.loop() }() // ends when over is closed
	err = cmd.Start()
	w.process = cmd.Process
	close(w.started)
	if err == nil {
		err = cmd.Wait()
	}
	return errors.Join(tell.Close(), <-watched, err)
}

// watch answers the kernel.
type watch struct {
	listener int
	over     *os.File
	dir      string
	decide   func(Call) Outcome
	seen     map[string]int
	calls    int
	// process is set before started is closed; nil if the program did not start.
	process *os.Process
	started chan struct{}
}

func (w *watch) loop() error {
	for {
		wait := []unix.PollFd{{Fd: int32(w.over.Fd())}, {Fd: int32(w.listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(wait, -1); errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil {
			return fmt.Errorf("wait for calls: %w", err)
		}
		if wait[1].Revents&unix.POLLIN == 0 {
			return nil
		}
		n, err := receive(w.listener)
		if err == nil {
			err = w.answer(n)
		}
		if err != nil && !gone(err) && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("answer a call: %w", errors.Join(err, w.kill()))
		}
	}
}

func (w *watch) answer(n notice) error {
	c, ok, err := decode(w.dir, n)
	if err != nil && !gone(err) {
		return err
	}
	if !ok {
		return send(w.listener, reply{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE})
	}
	<-w.started
	key := c.Name + " " + c.Path
	c.Index, c.Nth = w.calls, w.seen[key]
	w.calls++
	w.seen[key]++
	o := w.decide(c)
	if o == Pass {
		return send(w.listener, reply{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE})
	}
	if o.Done || o.Half {
		var errno unix.Errno
		if err := perform(c, w.process.Pid, o.Half); errors.As(err, &errno) {
			o.Errno = errno // it fails by itself
		} else if err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	if o.Kill {
		return w.kill()
	}
	return send(w.listener, reply{id: n.id, errno: -int32(o.Errno)})
}

func (w *watch) kill() error {
	<-w.started
	if w.process == nil {
		return nil
	}
	return w.process.Kill()
}

// gone says that the program, or the call, has ended meanwhile.
func gone(err error) bool { return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) }

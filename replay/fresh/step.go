package fresh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Variable names the target's host:port in a command's environment.
const Variable = "VERBATIM_TARGET"

// ErrStep says that a step failed.
var ErrStep = errors.New("target was not brought into its state")

// Step is an http or https URL, which is POSTed to, or else a command for sh.
type Step string

// Run takes the step for the target at an address (host:port) and waits until that
// accepts connections. What a command prints goes to w; ctx bounds all of it.
func (s Step) Run(ctx context.Context, address string, w io.Writer) error {
	act := s.command
	if s.isURL() {
		act = s.post
	}
	if err := act(ctx, address, w); err != nil {
		return fmt.Errorf("%w: %w", ErrStep, orCause(ctx, err))
	}
	if err := accepts(ctx, address); err != nil {
		return fmt.Errorf("%w: %s accepts no connection: %w", ErrStep, address, orCause(ctx, err))
	}
	return nil
}

func (s Step) isURL() bool {
	return strings.HasPrefix(string(s), "http://") || strings.HasPrefix(string(s), "https://")
}

// orCause is why ctx ended, where it has: errors that follow from that say less.
func orCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// command runs in a process group of its own, so that all of it ends with ctx.
func (s Step) command(ctx context.Context, address string, w io.Writer) error {
	c := exec.CommandContext(ctx, "sh", "-c", string(s))
	c.Env = append(os.Environ(), Variable+"="+address)
	c.Stdout, c.Stderr = w, w
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second // for what it leaves running and still holds w
	if err := c.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("run %q: %w", string(s), err)
	}
	return nil
}

func (s Step) post(ctx context.Context, _ string, _ io.Writer) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, string(s), http.NoBody)
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return fmt.Errorf("read the URL: %w", u.Err) // which is not shown: it may hold a password
	}
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(q)
	where := url.URL{Scheme: q.URL.Scheme, Host: q.URL.Host, Path: q.URL.Path} // no user and no query, which may be credentials
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return fmt.Errorf("POST %s: %w", &where, u.Err)
	}
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("POST %s: %s", &where, answer.Status)
	}
	return nil
}

// accepts returns when a connection was accepted.
func accepts(ctx context.Context, address string) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	var dialer net.Dialer
	for {
		c, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return c.Close()
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

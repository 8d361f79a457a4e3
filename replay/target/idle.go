package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// unread is what waits on a connection.
type unread int

const (
	unreadNothing unread = iota
	unreadData
	unreadEnd // the peer closed, or the connection failed
)

// peek looks at what waits without taking it and without waiting.
func peek(c *net.TCPConn) unread {
	raw, err := c.SyscallConn()
	if err != nil {
		return unreadEnd
	}
	var n int
	var failure error
	var octet [1]byte
	err = raw.Read(func(fd uintptr) bool {
		n, _, failure = unix.Recvfrom(int(fd), octet[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return true
	})
	switch {
	case err == nil && errors.Is(failure, unix.EAGAIN):
		return unreadNothing
	case err == nil && failure == nil && n > 0:
		return unreadData
	}
	return unreadEnd
}

// longAgo as a deadline makes every wait on a connection end at once; noDeadline
// lets it last.
var (
	longAgo    = time.Unix(1, 0)
	noDeadline time.Time
)

// interrupt makes c's reads and writes fail when ctx ends. stop ends that, and
// says whether c is as it was.
func interrupt(ctx context.Context, c *net.TCPConn) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		// It fails only on a closed connection, which is interrupted already.
		_ = c.SetDeadline(longAgo)
	})
}

// errIdle ends an exchange in which nothing happens any more.
var errIdle = errors.New("nothing came and nothing was sent for too long")

// watched is ctx with a bound on the time in which nothing happens; 0: none.
// progress says that something does, and stop ends the watch.
func watched(ctx context.Context, bound time.Duration) (_ context.Context, progress, stop func()) {
	if bound <= 0 {
		return ctx, func() {}, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(bound, func() { cancel(errIdle) })
	return ctx, func() { timer.Reset(bound) }, func() {
		timer.Stop()
		cancel(nil)
	}
}

// failed names the error of a wait: the context's where that has ended.
func failed(ctx context.Context, sentinel, err error) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(cause, errIdle):
		return fmt.Errorf("%w: %w", ErrTimeout, cause)
	case cause != nil:
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", sentinel, err)
}

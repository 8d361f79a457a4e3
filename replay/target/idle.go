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

// failed names the error of a wait: the context's where that has ended.
func failed(ctx context.Context, sentinel, err error) error {
	switch cause := ctx.Err(); {
	case errors.Is(cause, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrTimeout, cause)
	case cause != nil:
		return cause
	}
	return fmt.Errorf("%w: %w", sentinel, err)
}

package target

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"

	"verbatim/sidecar/output"
)

// http1Conn is a connection that speaks HTTP/1.1.
type http1Conn struct {
	tcp    *net.TCPConn
	reader http1Reader
}

func newHTTP1Conn(c *net.TCPConn, maxBody int64) *http1Conn {
	return &http1Conn{tcp: c, reader: http1Reader{br: bufio.NewReaderSize(c, 64<<10), maxBody: maxBody}}
}

func (c *http1Conn) close() { _ = c.tcp.Close() }

// alive is false also where octets wait that nobody asked for, such as a 408.
func (c *http1Conn) alive(context.Context) bool {
	return c.reader.br.Buffered() == 0 && peek(c.tcp) == unreadNothing
}

// sent is how the writing of a request ended.
type sent struct {
	octets int64
	err    error
}

// exchange writes in a goroutine of its own, so that a server which answers
// while it still receives is read. That goroutine ends before exchange returns.
func (c *http1Conn) exchange(ctx context.Context, r *Request) (output.Message, bool, error) {
	stop := interrupt(ctx, c.tcp)
	written := make(chan sent, 1)
	go func() {
		buffers := http1Request(r)
		n, err := buffers.WriteTo(c.tcp)
		written <- sent{n, err}
	}()
	m, keep, err := c.reader.response(r.method())
	// What is not written by now is not wanted. A request that is written whole
	// is not harmed by this.
	_ = c.tcp.SetWriteDeadline(longAgo)
	s := <-written
	undisturbed := stop()
	switch {
	case s.octets == 0 && s.err != nil && ctx.Err() == nil && !errors.Is(err, ErrMalformed):
		return output.Message{}, false, fmt.Errorf("%w: %w", errNotProcessed, s.err)
	case err == nil:
		keep = keep && undisturbed && s.err == nil && c.tcp.SetWriteDeadline(noDeadline) == nil
		return m, keep, nil
	case errors.Is(err, ErrMalformed):
		return output.Message{}, false, err
	}
	return output.Message{}, false, failed(ctx, ErrReset, err)
}

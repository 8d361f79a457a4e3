package target

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
)

// http1Conn is a connection that speaks HTTP/1.1.
type http1Conn struct {
	tcp    *net.TCPConn
	via    bool
	reader http1Reader
}

func newHTTP1Conn(c *net.TCPConn, via bool) *http1Conn {
	return &http1Conn{tcp: c, via: via, reader: http1Reader{br: bufio.NewReaderSize(c, 64<<10)}}
}

func (c *http1Conn) close() { _ = c.tcp.Close() }

// alive is false also where octets wait that nobody asked for, such as a 408.
func (c *http1Conn) alive(context.Context) bool {
	return c.reader.br.Buffered() == 0 && peek(c.tcp) == unreadNothing
}

// exchange writes in a goroutine of its own, so that a server which answers
// while it still receives is read. That goroutine ends before exchange returns.
func (c *http1Conn) exchange(ctx context.Context, r *Request, g *gathered) (keep bool, err error) {
	ctx, progress, unwatch := watched(ctx, r.Idle)
	defer unwatch()
	stop := interrupt(ctx, c.tcp)
	up := &http1Upload{tcp: c.tcp, request: r, via: c.via, gate: newGate(), progress: progress}
	g.came = func(n octets) {
		progress()
		up.gate.add(n)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		up.run()
	}()
	keep, err = c.reader.response(r.method(), g)
	// What is not written by now is not wanted. A request that is written whole
	// is not harmed by this.
	up.gate.close()
	_ = c.tcp.SetWriteDeadline(longAgo)
	<-done
	undisturbed := stop()
	switch {
	case up.source != nil:
		return false, up.source
	case up.octets == 0 && up.err != nil && ctx.Err() == nil && !errors.Is(err, ErrMalformed):
		return false, fmt.Errorf("%w: %w", errNotProcessed, up.err)
	case up.broken: // what comes then is the server's reaction to it
		return false, ErrBrokenOff
	case err == nil:
		ended := r.BreakOff == nil // else the server may be in the middle of a body
		keep = keep && undisturbed && up.whole && ended && c.tcp.SetWriteDeadline(noDeadline) == nil
		return keep, nil
	case errors.Is(err, ErrMalformed):
		return false, err
	}
	return false, failedAt(up.waiting, up.gate.received, failed(ctx, ErrReset, err))
}

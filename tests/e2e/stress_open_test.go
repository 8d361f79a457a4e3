package e2e

import (
	"context"
	"io"
	"net"
)

// openBody is a body that ends when more is closed, and breaks off when its
// connection does: net/http waits for the end of a body before it says that the
// connection is gone.
type openBody struct {
	*io.PipeReader
	more    chan []byte   // what comes next; it takes maxChat without waiting
	ended   chan struct{} // closed by end
	written chan struct{} // closed when the writer has ended
}

func newOpenBody() *openBody {
	in, out := io.Pipe()
	b := &openBody{in, make(chan []byte, maxChat), make(chan struct{}), make(chan struct{})}
	go func() { // ends with end
		defer close(b.written)
		for {
			select {
			case octets, more := <-b.more:
				if !more {
					_ = out.Close() // a pipe's end does not fail
					return
				}
				_, _ = out.Write(octets) // it fails when nobody reads any more
			case <-b.ended:
				return
			}
		}
	}()
	return b
}

// end is called once, when the request is over.
func (b *openBody) end() {
	_ = b.Close() // nobody reads it any more
	close(b.ended)
	<-b.written
}

// bodyKey is a context's openBody.
type bodyKey struct{}

// dialForBody connects for one request, whose openBody ends with the connection.
func (d *door) dialForBody(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, addr)
	body, is := ctx.Value(bodyKey{}).(*openBody)
	if err != nil || !is {
		return conn, err
	}
	return bodyConn{conn, body}, nil
}

// bodyConn ends a body when the connection has ended.
type bodyConn struct {
	net.Conn
	body *openBody
}

func (c bodyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		_ = c.body.Close() // a pipe's end does not fail
	}
	return n, err
}

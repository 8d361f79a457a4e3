package target

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// http2Conn is a connection that speaks HTTP/2, with one stream at a time.
// Frames are read by whoever calls it, and only while a request is under way or
// about to be: a PING that arrives in between is answered then.
type http2Conn struct {
	tcp     *net.TCPConn
	br      *bufio.Reader
	framer  *http2.Framer // for reading alone
	out     *http2Sender
	next    uint32 // stream id
	last    uint32 // the highest id that a GOAWAY lets through
	leaving bool   // a GOAWAY arrived, or ids run out
	noticed bool   // the server has read that the client broke off
}

const (
	// receiveWindow is how many octets the server may send ahead; each DATA
	// frame is given back as soon as it is read.
	receiveWindow = 16 << 20
	// initialWindow and maxFrame are RFC 9113's defaults, 6.5.2.
	initialWindow = 65535
	maxFrame      = 16384
	maxStreamID   = 1<<31 - 1
)

func newHTTP2Conn(c *net.TCPConn) *http2Conn {
	h := &http2Conn{
		tcp: c, br: bufio.NewReaderSize(c, 64<<10), out: newHTTP2Sender(c),
		next: 1, last: maxStreamID,
	}
	h.framer = http2.NewFramer(nil, h.br)
	h.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	h.framer.MaxHeaderListSize = maxSection
	h.framer.SetMaxReadFrameSize(maxFrame)
	return h
}

func (c *http2Conn) close() { _ = c.tcp.Close() }

// alive takes in what arrived since the last answer, such as a GOAWAY.
func (c *http2Conn) alive(ctx context.Context) bool {
	stop := interrupt(ctx, c.tcp)
	for {
		waiting := unreadData
		if c.br.Buffered() == 0 {
			waiting = peek(c.tcp)
		}
		switch waiting {
		case unreadNothing:
			return stop() && !c.leaving
		case unreadEnd:
			stop()
			return false
		}
		f, err := c.framer.ReadFrame()
		if err == nil {
			err = c.control(f)
		}
		if err != nil {
			stop()
			return false
		}
	}
}

// exchange sends in a goroutine of its own, which ends before exchange returns.
func (c *http2Conn) exchange(ctx context.Context, r *Request, g *gathered) (keep bool, err error) {
	s := &http2Response{id: c.next, head: r.method() == "HEAD", gathered: g}
	c.next += 2
	c.leaving = c.leaving || c.next > maxStreamID-2
	ctx, progress, unwatch := watched(ctx, r.Idle)
	defer unwatch()
	g.came = func(n octets) {
		progress()
		c.out.received(n)
	}
	stop := interrupt(ctx, c.tcp)
	c.out.start(s.id, r, progress)
	err = c.receive(s)
	if err != nil {
		c.close() // so that the sender ends
	}
	sent := c.out.finish()
	undisturbed := stop()
	switch {
	case sent.source != nil:
		return false, sent.source
	case s.whole && err == nil:
		// Behind a client's end the server's reaction to it is still to come.
		return undisturbed && sent.whole && !sent.broken && !c.leaving, nil
	case errors.Is(err, ErrMalformed), errors.Is(err, errNotProcessed):
		return false, err
	case sent.broken:
		return false, ErrBrokenOff
	case err == nil:
		return false, malformed("the server acknowledged a PING that was not sent")
	}
	return false, failedAt(sent.waiting, uint64(g.octets), failed(ctx, ErrReset, err))
}

// receive reads frames until the answer is whole, or until the server has read
// that the client broke off.
func (c *http2Conn) receive(s *http2Response) error {
	for !s.whole && !c.noticed {
		f, err := c.framer.ReadFrame()
		if err != nil {
			return frameError(err)
		}
		if f.Header().StreamID == s.id {
			err = c.onStream(s, f)
		} else {
			err = c.control(f)
		}
		if err != nil {
			return err
		}
		if c.last < s.id {
			return fmt.Errorf("%w: the server is going away", errNotProcessed)
		}
	}
	return nil
}

// onStream takes a frame of the stream that is under way.
func (c *http2Conn) onStream(s *http2Response, f http2.Frame) error {
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		return s.onHeaders(f)
	case *http2.DataFrame:
		c.out.giveBack(s.id, f.Length)
		return s.onData(f)
	case *http2.WindowUpdateFrame:
		c.out.widenStream(int64(f.Increment))
	case *http2.RSTStreamFrame:
		if f.ErrCode == http2.ErrCodeRefusedStream {
			return fmt.Errorf("%w: the server refused the stream", errNotProcessed)
		}
		return fmt.Errorf("the server reset the stream: %s", f.ErrCode)
	case *http2.PushPromiseFrame:
		return malformed("the server pushed, which it was told not to do")
	}
	return nil
}

// control takes a frame of the connection, or of a stream that is over.
func (c *http2Conn) control(f http2.Frame) error {
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if f.IsAck() {
			return nil
		}
		if v, ok := f.Value(http2.SettingInitialWindowSize); ok {
			c.out.setInitialWindow(int64(v))
		}
		c.out.add(func(w *http2.Framer) error { return w.WriteSettingsAck() })
	case *http2.PingFrame:
		data := f.Data
		if f.IsAck() {
			c.noticed = c.noticed || data == brokeOff
			return nil
		}
		c.out.add(func(w *http2.Framer) error { return w.WritePing(true, data) })
	case *http2.WindowUpdateFrame:
		if f.StreamID == 0 {
			c.out.widenConnection(int64(f.Increment))
		}
	case *http2.DataFrame:
		c.out.giveBack(0, f.Length)
	case *http2.GoAwayFrame:
		c.leaving, c.last = true, min(c.last, f.LastStreamID)
	case *http2.PushPromiseFrame:
		return malformed("the server pushed, which it was told not to do")
	}
	return nil
}

// frameError tells what is no HTTP/2 from the end of the connection.
func frameError(err error) error {
	var connection http2.ConnectionError
	var stream http2.StreamError
	switch {
	case errors.Is(err, http2.ErrFrameTooLarge):
		return malformed("it is no HTTP/2; does the target speak HTTP/1.1? %w", err)
	case errors.As(err, &connection), errors.As(err, &stream):
		return malformed("it is not valid HTTP/2: %w", err)
	}
	return err
}

package target

import (
	"bufio"
	"bytes"
	"net"
	"strings"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// http2Sender writes all frames of a connection. Its goroutine runs from start
// to finish of each request; it waits for windows to open and for the peer to
// take octets in, never for the reader.
type http2Sender struct {
	tcp    *net.TCPConn
	bw     *bufio.Writer
	framer *http2.Framer // for writing alone
	block  bytes.Buffer  // of the header list being encoded
	hpack  *hpack.Encoder

	done chan struct{} // closed when the goroutine has ended

	mu         sync.Mutex
	changed    *sync.Cond
	control    []func(*http2.Framer) error // to be written before all else
	initial    int64                       // the stream window that the server gives at first
	connection int64                       // octets that the server takes on the connection
	stream     int64                       // and on the stream
	id         uint32
	body       []byte // what is left of it
	trailers   []*logv1.Header
	state      sendState
	finishing  bool
	err        error
}

// sendState is what comes next of the request.
type sendState int

const (
	sendBody sendState = iota
	sendTrailers
	sendNothing
)

func newHTTP2Sender(c *net.TCPConn) *http2Sender {
	s := &http2Sender{tcp: c, bw: bufio.NewWriterSize(c, 64<<10), initial: initialWindow, connection: initialWindow}
	s.changed = sync.NewCond(&s.mu)
	s.framer = http2.NewFramer(s.bw, nil)
	s.hpack = hpack.NewEncoder(&s.block)
	s.hpack.SetMaxDynamicTableSize(0) // whatever size the server allows, none is needed
	s.add(func(w *http2.Framer) error {
		if _, err := s.bw.WriteString(http2.ClientPreface); err != nil {
			return err
		}
		if err := w.WriteSettings(
			http2.Setting{ID: http2.SettingEnablePush, Val: 0},
			http2.Setting{ID: http2.SettingInitialWindowSize, Val: receiveWindow},
			http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: maxSection},
		); err != nil {
			return err
		}
		return w.WriteWindowUpdate(0, receiveWindow-initialWindow)
	})
	return s
}

// start begins to send a request.
func (s *http2Sender) start(id uint32, r *Request) {
	s.mu.Lock()
	s.id, s.body, s.trailers = id, r.Body, r.Trailers
	s.stream, s.finishing = s.initial, false
	s.state = sendBody
	if r.headersOnly() {
		s.state = sendNothing
	}
	s.mu.Unlock()
	s.add(func(*http2.Framer) error { return s.writeHeaders(id, r.Headers, r.headersOnly()) })
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		s.run()
	}()
}

// finish ends the goroutine, which first writes what the connection needs, and
// says whether the whole request was sent. What is left of one is not wanted.
func (s *http2Sender) finish() bool {
	s.mu.Lock()
	s.finishing = true
	if s.state != sendNothing {
		_ = s.tcp.SetWriteDeadline(longAgo)
	}
	s.mu.Unlock()
	s.changed.Signal()
	<-s.done
	return s.err == nil && s.state == sendNothing
}

// add queues a frame of the connection.
func (s *http2Sender) add(write func(*http2.Framer) error) {
	s.mu.Lock()
	s.control = append(s.control, write)
	s.mu.Unlock()
	s.changed.Signal()
}

// giveBack lets the server send n more octets. Stream 0: on the connection alone.
func (s *http2Sender) giveBack(stream, n uint32) {
	if n == 0 {
		return
	}
	s.add(func(w *http2.Framer) error {
		if stream != 0 {
			if err := w.WriteWindowUpdate(stream, n); err != nil {
				return err
			}
		}
		return w.WriteWindowUpdate(0, n)
	})
}

func (s *http2Sender) widenConnection(n int64) { s.widen(&s.connection, n) }
func (s *http2Sender) widenStream(n int64)     { s.widen(&s.stream, n) }

func (s *http2Sender) widen(window *int64, n int64) {
	s.mu.Lock()
	*window += n
	s.mu.Unlock()
	s.changed.Signal()
}

// setInitialWindow changes the window of the stream under way too (RFC 9113 6.9.2).
func (s *http2Sender) setInitialWindow(n int64) {
	s.mu.Lock()
	s.stream += n - s.initial
	s.initial = n
	s.mu.Unlock()
	s.changed.Signal()
}

// run writes until finish or an error; what is queued by then is still written.
func (s *http2Sender) run() {
	for {
		write := s.nextWrite()
		if write == nil {
			return
		}
		err := write()
		if err != nil {
			s.mu.Lock()
			s.err = err
			s.mu.Unlock()
			return
		}
	}
}

// nextWrite waits for something to write; nil: nothing will come.
func (s *http2Sender) nextWrite() func() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		window := min(s.connection, s.stream, maxFrame)
		switch {
		case len(s.control) > 0:
			queue := s.control
			s.control = nil
			return func() error { return s.writeAll(queue) }
		case s.finishing:
			return s.flushOnce()
		case s.state == sendTrailers:
			s.state = sendNothing
			id, list := s.id, s.trailers
			return func() error { return s.writeHeaders(id, list, true) }
		case s.state == sendBody && (window > 0 || len(s.body) == 0):
			return s.takeData(window)
		case s.bw.Buffered() > 0:
			return s.bw.Flush
		}
		s.changed.Wait()
	}
}

// flushOnce is nil when nothing is left in the buffer.
func (s *http2Sender) flushOnce() func() error {
	if s.bw.Buffered() == 0 {
		return nil
	}
	return s.bw.Flush
}

// takeData takes the next DATA frame off the body. An empty body is an empty
// frame unless trailers end the stream.
func (s *http2Sender) takeData(window int64) func() error {
	n := min(int64(len(s.body)), max(window, 0))
	data := s.body[:n]
	s.body = s.body[n:]
	s.connection -= n
	s.stream -= n
	end := false
	if len(s.body) == 0 {
		s.state = sendTrailers
		if end = len(s.trailers) == 0; end {
			s.state = sendNothing
		}
	}
	id := s.id
	return func() error {
		if n == 0 && !end {
			return nil
		}
		return s.framer.WriteData(id, end, data)
	}
}

func (s *http2Sender) writeAll(queue []func(*http2.Framer) error) error {
	for _, write := range queue {
		if err := write(s.framer); err != nil {
			return err
		}
	}
	return nil
}

// writeHeaders writes a header list in one HEADERS frame and as many
// CONTINUATION frames as it needs.
func (s *http2Sender) writeHeaders(id uint32, list []*logv1.Header, end bool) error {
	s.block.Reset()
	for _, h := range list {
		field := hpack.HeaderField{Name: strings.ToLower(string(h.GetName())), Value: string(h.GetValue())}
		if err := s.hpack.WriteField(field); err != nil {
			return err
		}
	}
	part := s.block.Next(maxFrame)
	err := s.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: part, EndStream: end, EndHeaders: s.block.Len() == 0,
	})
	for err == nil && s.block.Len() > 0 {
		part = s.block.Next(maxFrame)
		err = s.framer.WriteContinuation(id, s.block.Len() == 0, part)
	}
	return err
}

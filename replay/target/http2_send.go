package target

import (
	"bufio"
	"bytes"
	"iter"
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
	octets     uint64 // of the answer's body that were received
	request    *Request
	pull       func() (Part, error, bool) // the next part
	part       Part                       // under way
	body       []byte                     // what is left of it
	state      sendState
	progress   func()
	finishing  bool
	broken     bool  // the client went away, as it was recorded
	source     error // of who gives the parts
	err        error
}

// sendState is what comes next of the request.
type sendState int

const (
	sendPull  sendState = iota // a part is to be asked for
	sendAwait                  // octets of the answer are to come first
	sendBody
	sendTrailers
	sendBreak // all is sent; the client goes away once enough of the answer came
	sendNothing
)

// brokeOff is a PING behind the end of a stream that the client cancelled. Its
// acknowledgement says that the server has read all before it.
var brokeOff = [8]byte{'b', 'r', 'o', 'k', 'e', 'o', 'f', 'f'}

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
func (s *http2Sender) start(id uint32, r *Request, progress func()) {
	pull, stop := iter.Pull2(r.parts())
	s.mu.Lock()
	s.id, s.request, s.pull, s.progress = id, r, pull, progress
	s.stream, s.octets, s.finishing = s.initial, 0, false
	s.state = sendPull
	if r.headersOnly() {
		s.state = s.afterAll()
	}
	s.mu.Unlock()
	s.add(func(*http2.Framer) error { return s.writeHeaders(id, r.Headers, r.headersOnly()) })
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		defer stop()
		s.run()
	}()
}

// afterAll is the state when all is sent.
func (s *http2Sender) afterAll() sendState {
	if s.request.BreakOff != nil {
		return sendBreak
	}
	return sendNothing
}

// upload is what came of the sending of a request.
type upload struct {
	whole   bool  // all of it was sent
	waiting *Part // the part that was never sent, because octets did not come
	broken  bool  // the client went away, as it was recorded
	source  error // of who gives the parts
}

// finish ends the goroutine, which first writes what the connection needs. What
// is left of the request is not wanted.
func (s *http2Sender) finish() upload {
	s.mu.Lock()
	s.finishing = true
	if s.state != sendNothing {
		_ = s.tcp.SetWriteDeadline(longAgo)
	}
	s.mu.Unlock()
	s.changed.Signal()
	<-s.done
	u := upload{whole: s.err == nil && s.state == sendNothing, broken: s.broken, source: s.source}
	if s.state == sendAwait {
		u.waiting = &s.part
	}
	return u
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

// received says that octets of the answer's body came.
func (s *http2Sender) received(n octets) {
	s.mu.Lock()
	s.octets += uint64(n)
	s.mu.Unlock()
	s.changed.Signal()
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
		case s.state == sendPull:
			return s.nextPart
		case s.state == sendAwait && s.octets >= s.part.After:
			s.progress()
			s.state = sendBody
			continue
		case s.state == sendTrailers:
			s.state = s.afterAll()
			id, list := s.id, s.part.Trailers
			return func() error { return s.writeHeaders(id, list, true) }
		case s.state == sendBody && (window > 0 || len(s.body) == 0):
			return s.takeData(window)
		case s.state == sendBreak && s.octets >= *s.request.BreakOff:
			s.state, s.broken = sendNothing, true
			return s.breakOff
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

// nextPart asks for a part; where none comes the client breaks off.
func (s *http2Sender) nextPart() error {
	part, err, more := s.pull()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.source = err
		_ = s.tcp.SetReadDeadline(longAgo) // nobody is to wait for an answer
		return err
	case !more:
		s.state = s.afterAll()
	default:
		s.part, s.body, s.state = part, part.Data, sendAwait
	}
	return nil
}

// takeData takes the next DATA frame off the part. A last part without octets is
// an empty frame unless trailers end the stream.
func (s *http2Sender) takeData(window int64) func() error {
	n := min(int64(len(s.body)), max(window, 0))
	data := s.body[:n]
	s.body = s.body[n:]
	s.connection -= n
	s.stream -= n
	end := false
	if len(s.body) == 0 {
		switch {
		case !s.part.Last:
			s.state = sendPull
		case len(s.part.Trailers) > 0:
			s.state = sendTrailers
		default:
			end, s.state = true, s.afterAll()
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

func (s *http2Sender) breakOff() error {
	if err := s.framer.WriteRSTStream(s.id, http2.ErrCodeCancel); err != nil {
		return err
	}
	return s.framer.WritePing(false, brokeOff)
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

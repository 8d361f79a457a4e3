package e2e

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// wireStream is one HTTP/2 request as it came over the wire.
type wireStream struct {
	Headers  []string // "name: value", pseudo headers included
	Body     []byte   // DATA joined
	Trailers []string
	End      string // what ended it: "HEADERS", "DATA" or "TRAILERS"
}

// wireStreamAnswer is what a server answers.
type wireStreamAnswer struct {
	before   []string // a header list of status 1xx; nil: none
	headers  []string
	body     []byte
	trailers []string
}

// wireHTTP2Server is a pipeline that speaks HTTP/2 by prior knowledge and keeps
// what it receives.
type wireHTTP2Server struct {
	addr   string
	answer func(wireStream) wireStreamAnswer

	mu  sync.Mutex
	got []wireStream
}

func startWireHTTP2Server(t *testing.T, answer func(wireStream) wireStreamAnswer) *wireHTTP2Server {
	t.Helper()
	s := &wireHTTP2Server{answer: answer}
	s.addr = acceptAll(t, func(c *net.TCPConn) {
		// An error is the connection's end; whoever used it finds out.
		_ = s.serve(c)
	})
	return s
}

// received are the requests in the order in which they were whole.
func (s *wireHTTP2Server) received() []wireStream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]wireStream(nil), s.got...)
}

func (s *wireHTTP2Server) serve(c net.Conn) error {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c, preface); err != nil {
		return err
	}
	p := newWirePeer(c)
	if err := p.WriteSettings(); err != nil {
		return err
	}
	streams := map[uint32]*wireStream{}
	for {
		f, err := p.ReadFrame()
		if err != nil {
			return err
		}
		ended, err := p.take(streams, f)
		if err != nil {
			return err
		}
		if ended {
			id := f.Header().StreamID
			m := *streams[id]
			s.mu.Lock()
			s.got = append(s.got, m)
			s.mu.Unlock()
			if err := p.write(id, s.answer(m)); err != nil {
				return err
			}
		}
	}
}

// wirePeer is one side of an HTTP/2 connection, frame by frame.
type wirePeer struct {
	*http2.Framer
	block bytes.Buffer
	enc   *hpack.Encoder
}

func newWirePeer(c net.Conn) *wirePeer {
	p := &wirePeer{Framer: http2.NewFramer(c, c)}
	p.AllowIllegalWrites = true
	p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.MaxHeaderListSize = 1 << 20
	p.enc = hpack.NewEncoder(&p.block)
	return p
}

// take adds a frame to its stream and says whether that ends the stream.
func (p *wirePeer) take(streams map[uint32]*wireStream, f http2.Frame) (ended bool, err error) {
	id := f.Header().StreamID
	switch f := f.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			err = p.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			err = p.WritePing(true, f.Data)
		}
	case *http2.MetaHeadersFrame:
		if s := streams[id]; s != nil {
			s.Trailers, s.End = wireLines(f), "TRAILERS"
		} else {
			streams[id] = &wireStream{Headers: wireLines(f), End: "HEADERS"}
		}
		ended = f.StreamEnded()
	case *http2.DataFrame:
		streams[id].Body = append(streams[id].Body, f.Data()...)
		streams[id].End = "DATA"
		ended = f.StreamEnded()
		if f.Length > 0 {
			err = errors.Join(p.WriteWindowUpdate(0, f.Length), p.WriteWindowUpdate(id, f.Length))
		}
	}
	return ended, err
}

func wireLines(f *http2.MetaHeadersFrame) []string {
	var list []string
	for _, h := range f.Fields {
		list = append(list, h.Name+": "+h.Value)
	}
	return list
}

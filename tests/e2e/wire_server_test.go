package e2e

import (
	"bufio"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// wireAnswer is what a wireServer writes, and whether it closes after it.
type wireAnswer struct {
	raw   []byte
	close bool
}

// wireServer is an HTTP/1.1 pipeline that keeps what it receives, octet by
// octet, and may answer what no HTTP library would write.
type wireServer struct {
	addr   string
	answer func(wireMessage) wireAnswer
	left   chan struct{} // gets one for each connection that both sides have closed

	mu  sync.Mutex
	got []wireMessage
}

func startWireServer(t *testing.T, answer func(wireMessage) wireAnswer) *wireServer {
	t.Helper()
	s := &wireServer{answer: answer, left: make(chan struct{}, 10_000)}
	s.addr = acceptAll(t, s.serve)
	return s
}

// received are the requests in the order in which they were whole.
func (s *wireServer) received() []wireMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]wireMessage(nil), s.got...)
}

func (s *wireServer) serve(c *net.TCPConn) {
	in := &wireReader{br: bufio.NewReader(c)}
	for {
		m, err := in.request()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.got = append(s.got, m)
		s.mu.Unlock()
		a := s.answer(m)
		if _, err := c.Write(a.raw); a.close || err != nil {
			// Once the peer has closed too it sends nothing more over it.
			_ = c.CloseWrite()
			_, _ = io.Copy(io.Discard, in.br)
			s.left <- struct{}{}
			return
		}
	}
}

// awaitClosed waits until the peer has closed a connection that the server closed.
func (s *wireServer) awaitClosed(t *testing.T) {
	t.Helper()
	bound := time.NewTimer(wireTimeout)
	defer bound.Stop()
	select {
	case <-s.left:
	case <-bound.C:
		t.Fatal("the peer keeps a connection that the server has closed")
	}
}

// acceptAll serves connections until the test ends, and returns the address.
func acceptAll(t *testing.T, serve func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			all.Go(func() {
				defer func() { _ = c.Close() }()
				serve(c.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return l.Addr().String()
}

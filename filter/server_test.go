package filter_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

// seed is what the processor sets on each request.
func seed() *corev3.HeaderValue {
	return &corev3.HeaderValue{Key: "x-verbatim-seed", RawValue: []byte("42")}
}

// startCaptured starts Envoy with the capture before a pipeline.
func startCaptured(t *testing.T, pipeline string, protocol filter.Protocol, c filter.Capture) *mesh.Envoy {
	t.Helper()
	return mesh.StartTestEnvoy(t, mesh.EnvoyOptions{Bootstrap: filter.Bootstrap{
		Pipeline: pipeline, PipelineProtocol: protocol, Capture: &c,
	}})
}

// rawServer is a pipeline that keeps the octets of each connection's requests.
type rawServer struct {
	listener net.Listener
	mu       sync.Mutex
	got      []byte
	accepted int
	wait     sync.WaitGroup
}

// startRaw answers once the octets of a request end with last, by answer; an
// empty answer closes the connection.
func startRaw(t *testing.T, last, answer string) *rawServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{listener: listener}
	s.wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.wait.Go(func() { s.serve(conn, last, answer) })
		}
	})
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		s.wait.Wait()
	})
	return s
}

func (s *rawServer) serve(conn net.Conn, last, answer string) {
	defer func() { _ = conn.Close() }()
	s.mu.Lock()
	s.accepted++
	s.mu.Unlock()
	var request []byte
	for in := bufio.NewReader(conn); ; {
		b, err := in.ReadByte()
		if err != nil {
			return
		}
		request = append(request, b)
		if n := len(request); n < len(last) || string(request[n-len(last):]) != last {
			continue
		}
		s.mu.Lock()
		s.got = append(s.got, request...)
		s.mu.Unlock()
		request = nil
		if answer == "" {
			return
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}

func (s *rawServer) octets() (string, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.got), s.accepted
}

// startEcho is a pipeline that answers with the request's body, on /twice with
// the body twice.
func startEcho(t *testing.T, protocol filter.Protocol) (addr string, calls func() int) {
	t.Helper()
	var mu sync.Mutex
	n := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n++
		mu.Unlock()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		if r.URL.Path == "/twice" {
			body = bytes.Repeat(body, 2)
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body) // the client may have given up
	}))
	server.Config.Protocols = clearText(protocol)
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

func clearText(protocol filter.Protocol) *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(protocol == filter.H1)
	p.SetUnencryptedHTTP2(protocol == filter.H2)
	return p
}

// client speaks one protocol, without the changes that net/http makes by default.
func client(t *testing.T, protocol filter.Protocol) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: clearText(protocol), DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// sendRaw sends octets and returns what came back up to the closing of the
// connection, which the request must ask for.
func sendRaw(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

package e2e

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wireTimeout bounds one exchange.
const wireTimeout = 30 * time.Second

// openWire writes a request on a connection of its own, which the test closes.
func openWire(t *testing.T, addr string, raw []byte) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(wireTimeout)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(raw); err != nil {
		t.Fatal(err)
	}
	return c
}

// answerOf reads the final answer to a request with this method and closes;
// status 0: the connection ended without one.
func answerOf(t *testing.T, c net.Conn, method string) (status int, body string) {
	t.Helper()
	defer func() { _ = c.Close() }()
	for br := bufio.NewReader(c); ; {
		resp, err := http.ReadResponse(br, &http.Request{Method: method})
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
			return 0, ""
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode >= 200 {
			return resp.StatusCode, string(b)
		}
	}
}

// askWire sends a request and returns the final answer.
func askWire(t *testing.T, addr string, raw []byte) (status int, body string) {
	t.Helper()
	method, _, _ := strings.Cut(string(raw), " ")
	return answerOf(t, openWire(t, addr, raw), method)
}

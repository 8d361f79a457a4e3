package target_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"verbatim/replay/target"
	"verbatim/sidecar/output"
	"verbatim/tests/oddities"
)

const okResponse = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

// answering serves HTTP/1.1 with the same answer for all, and sends each
// request's bytes to the returned channel.
func answering(t *testing.T, answer string, closeAfter bool) (address string, requests chan string) {
	requests = make(chan string, 100)
	return listen(t, func(_ int, c net.Conn) {
		br := bufio.NewReader(c)
		for {
			raw, err := readRequest(br)
			if err != nil {
				return
			}
			requests <- raw
			if _, err := c.Write([]byte(answer)); err != nil || closeAfter {
				return
			}
		}
	}), requests
}

func TestHTTP1RequestBytes(t *testing.T) {
	pseudo := []string{":authority: h:80", ":path: /p//q?%2E%zz", ":method: POST", ":scheme: https"}
	with := func(lines ...string) []string { return append(append([]string{}, pseudo...), lines...) }
	start := "POST /p//q?%2E%zz HTTP/1.1\r\nhost: h:80\r\n"
	tests := []struct {
		name string
		r    target.Request
		want string
	}{
		{"no body", target.Request{Headers: headers(with("x-a: 1")...)}, start + "x-a: 1\r\ncontent-length: 0\r\n\r\n"},
		{"order, duplicates, empty values", target.Request{Headers: headers(with("x-a: 1", "x-b:", "x-a: 1", "cookie: \xff")...)}, start + "x-a: 1\r\nx-b: \r\nx-a: 1\r\ncookie: \xff\r\ncontent-length: 0\r\n\r\n"},
		{"content-length kept as it was", target.Request{Headers: headers(with("content-length: 005", "x-a: 1")...), HasBody: true, Body: []byte("hello")}, start + "content-length: 005\r\nx-a: 1\r\n\r\nhello"},
		{"content-length 0", target.Request{Headers: headers(with("content-length: 0", "x-a: 1")...)}, start + "content-length: 0\r\nx-a: 1\r\n\r\n"},
		{"chunked", target.Request{Headers: headers(with("x-a: 1")...), HasBody: true, Body: []byte("0123456789")}, start + "x-a: 1\r\ntransfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n"},
		{"chunked, empty", target.Request{Headers: headers(pseudo...), HasBody: true}, start + "transfer-encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"trailers", target.Request{Headers: headers(pseudo...), HasBody: true, Body: []byte("a"), Trailers: headers("x-t: 1", "x-t: 2")}, start + "transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-t: 1\r\nx-t: 2\r\n\r\n"},
		{"trailers alone", target.Request{Headers: headers(pseudo...), Trailers: headers("x-t: 1")}, start + "transfer-encoding: chunked\r\n\r\n0\r\nx-t: 1\r\n\r\n"},
		{"authority behind other pseudo headers", target.Request{Headers: headers(":method: GET", ":scheme: http", ":path: /", ":authority:", "x-a: 1")}, "GET / HTTP/1.1\r\nhost: \r\nx-a: 1\r\n\r\n"},
	}
	for _, method := range []string{"GET", "HEAD", "DELETE", "TRACE"} {
		tests = append(tests, struct {
			name string
			r    target.Request
			want string
		}{method + " without a body", *get(method), method + " / HTTP/1.1\r\nhost: a\r\n\r\n"})
	}
	address, requests := answering(t, "HTTP/1.1 204 No Content\r\n\r\n", false)
	tg := open(t, "http://"+address, target.Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tg.Do(t.Context(), &tt.r); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, <-requests); d != "" {
				t.Errorf("request (-want +got):\n%s", d)
			}
		})
	}
}

// What Envoy passes on whole is read whole; what it refuses is refused.
func TestHTTP1Oddities(t *testing.T) {
	for _, odd := range oddities.Responses() {
		t.Run(odd.Name, func(t *testing.T) {
			address, _ := answering(t, string(odd.Raw), odd.CloseAfter)
			m, err := open(t, "http://"+address, target.Options{}).Do(t.Context(), get(odd.RequestMethod))
			if !odd.Whole {
				if !errors.Is(err, target.ErrMalformed) && !errors.Is(err, target.ErrReset) {
					t.Errorf("got %v, %v; want an error", m, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := output.Canonical(m, output.DefaultIgnorePolicy()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHTTP1Response(t *testing.T) {
	tests := []struct{ name, raw, want string }{
		{"order and duplicates", "HTTP/1.1 404 No\r\nX-A: 1\r\nb:\r\nx-a:  2 \r\ncontent-length: 2\r\n\r\nok", "404 [X-A=1 b= x-a=2 content-length=2] ok []"},
		{"folding and CR", "HTTP/1.1 200 OK\r\na: 1\r\n 2\r\n\t3\r\nb: x\ry\r\r\ncontent-length: 0\r\n\r\n", "200 [a=1 2\t3 b=xy content-length=0]  []"},
		{"chunks and trailers", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n0\r\nT: 1\r\nt: 2\r\n\r\n", "200 [transfer-encoding=chunked] abc [T=1 t=2]"},
		{"1xx skipped", "HTTP/1.1 103 A\r\nlink: a\r\n\r\nHTTP/1.1 100 B\r\n\r\n" + okResponse, "200 [content-length=2] ok []"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address, _ := answering(t, tt.raw, false)
			m, err := open(t, "http://"+address, target.Options{}).Do(t.Context(), get("GET"))
			if err != nil {
				t.Fatal(err)
			}
			if got := show(m); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func show(m output.Message) string {
	var h, tr []string
	for _, f := range m.Headers {
		h = append(h, string(f.GetName())+"="+string(f.GetValue()))
	}
	for _, f := range m.Trailers {
		tr = append(tr, string(f.GetName())+"="+string(f.GetValue()))
	}
	return fmt.Sprintf("%d [%s] %s [%s]", m.Status, strings.Join(h, " "), m.Body, strings.Join(tr, " "))
}

func TestHTTP1ReceivesLargeBodies(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	address, requests := answering(t, fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(long), long), false)
	tg := open(t, "http://"+address, target.Options{})
	r := get("POST")
	r.HasBody, r.Body = true, []byte(long)
	m, err := tg.Do(t.Context(), r)
	if err != nil || string(m.Body) != long {
		t.Fatalf("got %d octets, %v", len(m.Body), err)
	}
	if got := <-requests; !strings.Contains(got, "\r\n100000\r\n"+long+"\r\n0\r\n\r\n") {
		t.Errorf("the request of %d octets has another body", len(got))
	}
}

func TestHTTP1BodyLimit(t *testing.T) {
	for _, raw := range []string{
		"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12345",
		"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n1234\r\n1\r\n5\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n12345",
	} {
		address, _ := answering(t, raw, true)
		for limit, want := range map[int64]error{4: target.ErrMalformed, 5: nil} {
			_, err := open(t, "http://"+address, target.Options{MaxBody: limit}).Do(t.Context(), get("GET"))
			if !errors.Is(err, want) {
				t.Errorf("%q with limit %d: %v", raw, limit, err)
			}
			if want != nil && !strings.Contains(err.Error(), "longer than 4 octets") {
				t.Errorf("the error names no limit: %v", err)
			}
		}
	}
}

func TestTimeout(t *testing.T) {
	for _, scheme := range []string{"http", "h2c"} {
		t.Run(scheme, func(t *testing.T) {
			received := make(chan struct{}, 2)
			address := listen(t, func(_ int, c net.Conn) {
				if _, err := c.Read(make([]byte, 1)); err == nil {
					received <- struct{}{}
				}
				_, _ = io.Copy(io.Discard, c) // until the client goes
			})
			tg := open(t, scheme+"://"+address, target.Options{})
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := tg.Do(ctx, get("GET")); !errors.Is(err, target.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want ErrTimeout", err)
			}
			<-received
			cancelled, stop := context.WithCancel(t.Context())
			go func() { <-received; stop() }()
			if _, err := tg.Do(cancelled, get("GET")); !errors.Is(err, context.Canceled) || errors.Is(err, target.ErrTimeout) {
				t.Errorf("got %v, want the cancellation", err)
			}
		})
	}
}

// A server that answers without reading the body is read, not waited for.
func TestHTTP1EarlyAnswer(t *testing.T) {
	address := listen(t, func(_ int, c net.Conn) {
		if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
			return
		}
		if _, err := c.Write([]byte("HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")); err != nil {
			return
		}
		for { // waits for the client to close, reading as little as it can
			if _, err := c.Read(make([]byte, 1)); err != nil {
				return
			}
		}
	})
	tg := open(t, "http://"+address, target.Options{})
	r := get("POST")
	r.HasBody, r.Body = true, make([]byte, 32<<20)
	m, err := tg.Do(t.Context(), r)
	if err != nil || m.Status != 413 {
		t.Fatalf("got %v, %v", m, err)
	}
}

func TestUnsendable(t *testing.T) {
	tg := open(t, "http://127.0.0.1:9", target.Options{})
	with := func(lines ...string) []string {
		return append([]string{":authority: a", ":path: /", ":method: GET", ":scheme: http"}, lines...)
	}
	for _, r := range []*target.Request{
		{},
		{Headers: headers(":path: /")},
		{Headers: headers(":method: GET")},
		{Headers: headers(":method: GET", ":path: /a b")},
		{Headers: headers(":method: GET\r\n", ":path: /")},
		{Headers: headers(":method: CONNECT", ":path: /")},
		{Headers: headers(":method: GET", ":path: /", ":authority: a\r\nx: 1")},
		{Headers: headers(with("x: a\r\nb: c")...)},
		{Headers: headers(with("x: \x00")...)},
		{Headers: headers(with("x y: 1")...)},
		{Headers: headers(with("x: 1", ":late: 1")...)},
		{Headers: headers(with()...), Trailers: headers(":t: 1")},
		{Headers: headers(with()...), Trailers: headers("t: \n")},
	} {
		if _, err := tg.Do(t.Context(), r); !errors.Is(err, target.ErrUnsendable) {
			t.Errorf("%v: got %v", r.Headers, err)
		}
	}
}

package target_test

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"verbatim/replay/target"
)

func TestKeepsOneConnection(t *testing.T) {
	var connections atomic.Int32
	address := listen(t, func(_ int, c net.Conn) {
		connections.Add(1)
		serveOK(c, -1)
	})
	tg := open(t, "http://"+address, target.Options{})
	for range 5 {
		if _, err := tg.Do(t.Context(), get("GET")); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("5 requests took %d connections", n)
	}
}

// serveOK answers n requests, all if n is negative, and returns what it read of
// the next one's first line.
func serveOK(c net.Conn, n int) {
	br := bufio.NewReader(c)
	for ; n != 0; n-- {
		if _, err := readRequest(br); err != nil {
			return
		}
		if _, err := c.Write([]byte(okResponse)); err != nil {
			return
		}
	}
}

// A kept connection that the server closed is replaced: nothing was written to it.
func TestClosedWhileIdle(t *testing.T) {
	address := listen(t, func(_ int, c net.Conn) { serveOK(c, 1) })
	tg := open(t, "http://"+address, target.Options{})
	for range 3 {
		if _, err := tg.Do(t.Context(), get("POST")); err != nil {
			t.Fatal(err)
		}
		until(t, tg.IdleEnded)
	}
}

// Octets that nobody asked for are no answer to the next request.
func TestUnaskedOctetsWhileIdle(t *testing.T) {
	answered := make(chan struct{})
	address := listen(t, func(n int, c net.Conn) {
		serveOK(c, 1)
		if n == 0 {
			<-answered
			if _, err := c.Write([]byte("HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")); err != nil {
				return
			}
			serveOK(c, 1)
		}
	})
	tg := open(t, "http://"+address, target.Options{})
	if _, err := tg.Do(t.Context(), get("GET")); err != nil {
		t.Fatal(err)
	}
	close(answered)
	until(t, tg.IdleData)
	m, err := tg.Do(t.Context(), get("GET"))
	if err != nil || m.Status != 200 {
		t.Errorf("got %v, %v", m, err)
	}
}

// A request that the server read is not sent again, whatever it did then.
func TestNotSentTwice(t *testing.T) {
	var read atomic.Int32
	address := listen(t, func(n int, c net.Conn) {
		br := bufio.NewReader(c)
		for i := 0; ; i++ {
			if _, err := readRequest(br); err != nil {
				return
			}
			read.Add(1)
			if n == 0 && i == 1 { // the second request on the first connection
				return
			}
			if _, err := c.Write([]byte(okResponse)); err != nil {
				return
			}
		}
	})
	tg := open(t, "http://"+address, target.Options{})
	if _, err := tg.Do(t.Context(), get("POST")); err != nil {
		t.Fatal(err)
	}
	if _, err := tg.Do(t.Context(), get("POST")); !errors.Is(err, target.ErrReset) {
		t.Errorf("got %v, want ErrReset", err)
	}
	if n := read.Load(); n != 2 {
		t.Errorf("the server read %d requests, 2 were to be sent", n)
	}
	if _, err := tg.Do(t.Context(), get("POST")); err != nil {
		t.Errorf("the target is not usable after a reset: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"http", "h2c"} {
		if _, err := open(t, scheme+"://"+address, target.Options{}).Do(t.Context(), get("GET")); !errors.Is(err, target.ErrUnreachable) {
			t.Errorf("%s: got %v", scheme, err)
		}
	}
}

// A connection that says it will close is not used again.
func TestAnnouncedClose(t *testing.T) {
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 0\r\n\r\n",
		"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n",
	} {
		var connections atomic.Int32
		address := listen(t, func(_ int, c net.Conn) {
			connections.Add(1)
			br := bufio.NewReader(c)
			for {
				if _, err := readRequest(br); err != nil {
					return
				}
				if _, err := c.Write([]byte(answer)); err != nil {
					return
				}
			}
		})
		tg := open(t, "http://"+address, target.Options{})
		for range 2 {
			if _, err := tg.Do(t.Context(), get("GET")); err != nil {
				t.Fatal(err)
			}
		}
		if n := connections.Load(); n != 2 {
			t.Errorf("%q: 2 requests took %d connections", answer, n)
		}
	}
}

func TestNew(t *testing.T) {
	for _, good := range []string{"http://h", "http://h:80", "http://h:80/", "HTTP://h", "h2c://[::1]:80", "http://[::1]"} {
		if _, err := target.New(good, target.Options{}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "h:80", "https://h", "h2://h", "grpc://h", "http://", "http://h/path", "http://h?q", "http://h?", "http://u@h",
		"http://h#f", "http://h:99999", "http://h:x", "http://:80", "http://h:",
	} {
		if _, err := target.New(bad, target.Options{}); !errors.Is(err, target.ErrAddress) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, secret := range []string{"http://u:s3cret@h", "u:s3cret@h:80", "ftp://u:s3cret@h", "http://u:s3cret@h:x", "http://u:s3cret@%zz"} {
		if _, err := target.New(secret, target.Options{Protocol: target.HTTP1}); !errors.Is(err, target.ErrAddress) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", secret, err)
		}
	}
	for _, p := range []target.Protocol{target.HTTP1, target.HTTP2} {
		if _, err := target.New("h:80", target.Options{Protocol: p}); err != nil {
			t.Errorf("h:80 with %s: %v", p, err)
		}
	}
	if _, err := target.New("h:80", target.Options{Protocol: "h3"}); !errors.Is(err, target.ErrAddress) {
		t.Errorf("protocol h3: %v", err)
	}
}

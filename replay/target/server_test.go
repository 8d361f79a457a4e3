package target_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay/target"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen serves each connection with serve, which gets its number from 0 on. It
// returns the address; connections are closed and waited for when the test ends.
func listen(t *testing.T, serve func(n int, c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		conns []net.Conn
	)
	all.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			all.Go(func() {
				defer func() { _ = c.Close() }()
				serve(n, c)
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

// open makes a target that is closed when the test ends.
func open(t *testing.T, address string, o target.Options) *target.Target {
	t.Helper()
	tg, err := target.New(address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tg.Close)
	return tg
}

// readRequest reads one HTTP/1.1 request and returns its bytes.
func readRequest(br *bufio.Reader) (string, error) {
	var raw bytes.Buffer
	length, chunked := 0, false
	for {
		line, err := br.ReadString('\n')
		raw.WriteString(line)
		if err != nil {
			return raw.String(), err
		}
		if line == "\r\n" {
			break
		}
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ": ")
		switch name {
		case "content-length":
			if length, err = strconv.Atoi(value); err != nil {
				return raw.String(), err
			}
		case "transfer-encoding":
			chunked = true
		}
	}
	if !chunked {
		_, err := io.CopyN(&raw, br, int64(length))
		return raw.String(), err
	}
	// One octet at a time, so that nothing is read ahead of the chunks.
	body := bufio.NewReaderSize(octets{io.TeeReader(br, &raw)}, 16)
	if _, err := io.Copy(io.Discard, httputil.NewChunkedReader(body)); err != nil {
		return raw.String(), err
	}
	for !strings.HasSuffix(raw.String(), "0\r\n\r\n") && !strings.HasSuffix(raw.String(), "\r\n\r\n") {
		c, err := br.ReadByte()
		if err != nil {
			return raw.String(), err
		}
		raw.WriteByte(c)
	}
	return raw.String(), nil
}

type octets struct{ r io.Reader }

func (o octets) Read(p []byte) (int, error) { return o.r.Read(p[:1]) }

// headers makes a list of "name: value" lines, ":name: value" for pseudo headers.
func headers(lines ...string) []*logv1.Header {
	var list []*logv1.Header
	for _, line := range lines {
		i := strings.Index(line[1:], ":") + 1
		list = append(list, &logv1.Header{Name: []byte(line[:i]), Value: []byte(strings.TrimPrefix(line[i+1:], " "))})
	}
	return list
}

// get is a GET, or another method, of "/".
func get(method string) *target.Request {
	return &target.Request{Headers: headers(":authority: a", ":path: /", ":method: "+method, ":scheme: http")}
}

// until polls for a condition.
func until(t *testing.T, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the condition did not come true")
		}
	}
}

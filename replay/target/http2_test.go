package target_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"verbatim/replay/target"
)

// The standard library's server echoes what it got.
func TestHTTP2StandardServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Trailer", "X-T")
		w.Header().Set("X-Line", fmt.Sprintf("%s %s %s %s %v", r.Proto, r.Method, r.Host, r.RequestURI, r.Header.Values("x-a")))
		_, _ = w.Write(body)
		w.Header().Set("X-T", r.Trailer.Get("x-t"))
	})}
	served := make(chan error)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	tg := open(t, "h2c://"+l.Addr().String(), target.Options{})
	for _, size := range []int{0, 1, 16384, 16385, 5 << 20} {
		body := bytes.Repeat([]byte{7}, size)
		r := &target.Request{
			Headers: headers(":authority: h:1", ":path: /p//q?%2E", ":method: PUT", ":scheme: http", "x-a: 1", "te: trailers", "trailer: x-t", "x-a: 2", "x-long: "+strings.Repeat("v", 60_000)),
			HasBody: true, Body: body, Trailers: headers("x-t: end"),
		}
		m, err := tg.Do(t.Context(), r)
		if err != nil {
			t.Fatalf("body of %d octets: %v", size, err)
		}
		if !bytes.Equal(m.Body, body) {
			t.Errorf("body of %d octets came back with %d", size, len(m.Body))
		}
		if got := show(m); !strings.Contains(got, "x-line=HTTP/2.0 PUT h:1 /p//q?%2E [1 2]") || !strings.HasSuffix(got, "[x-t=end]") {
			t.Errorf("got %.300s", got)
		}
	}
	head := get("HEAD")
	if m, err := tg.Do(t.Context(), head); err != nil || len(m.Body) != 0 {
		t.Errorf("HEAD: %v, %v", m, err)
	}
}

// peer is a server's side of an HTTP/2 connection, frame by frame.
type peer struct {
	*http2.Framer
	c     net.Conn
	block bytes.Buffer
	enc   *hpack.Encoder
}

// newPeer reads the preface and sends settings.
func newPeer(c net.Conn, settings ...http2.Setting) (*peer, error) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c, preface); err != nil || string(preface) != http2.ClientPreface {
		return nil, fmt.Errorf("preface %q: %w", preface, err)
	}
	p := &peer{Framer: http2.NewFramer(c, c), c: c}
	p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.enc = hpack.NewEncoder(&p.block)
	err := p.WriteSettings(settings...)
	return p, err
}

func (p *peer) encode(lines ...string) []byte {
	p.block.Reset()
	for _, h := range headers(lines...) {
		if err := p.enc.WriteField(hpack.HeaderField{Name: string(h.GetName()), Value: string(h.GetValue())}); err != nil {
			panic(err)
		}
	}
	return bytes.Clone(p.block.Bytes())
}

func (p *peer) headers(id uint32, end bool, lines ...string) error {
	return p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.encode(lines...), EndHeaders: true, EndStream: end})
}

// request is what a peer read of one stream.
type request struct {
	id      uint32
	frames  []string
	headers []string
	body    []byte
}

// next reads up to the end of a request, giving windows back.
func (p *peer) next() (*request, error) {
	r := new(request)
	for {
		f, err := p.ReadFrame()
		if err != nil {
			return r, err
		}
		end := false
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				err = p.WriteSettingsAck()
			}
		case *http2.MetaHeadersFrame:
			r.id, end = f.StreamID, f.StreamEnded()
			for _, h := range f.Fields {
				r.headers = append(r.headers, h.Name+": "+h.Value)
			}
			r.frames = append(r.frames, "HEADERS")
		case *http2.DataFrame:
			end = f.StreamEnded()
			r.body = append(r.body, f.Data()...)
			r.frames = append(r.frames, fmt.Sprintf("DATA %d", f.Length))
			if f.Length > 0 {
				err = errors.Join(p.WriteWindowUpdate(0, f.Length), p.WriteWindowUpdate(f.StreamID, f.Length))
			}
		case *http2.PingFrame:
			r.frames = append(r.frames, fmt.Sprintf("PING ack=%v", f.IsAck()))
		}
		if err != nil || end {
			return r, err
		}
	}
}

// peers serves HTTP/2 connections with a peer each.
func peers(t *testing.T, serve func(n int, p *peer) error, settings ...http2.Setting) string {
	return listen(t, func(n int, c net.Conn) {
		p, err := newPeer(c, settings...)
		if err != nil {
			return // the client gave up
		}
		if err := serve(n, p); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
			t.Logf("connection %d: %v", n, err)
		}
	})
}

// ok answers the requests of a connection until it ends.
func (p *peer) ok() error {
	for {
		r, err := p.next()
		if err != nil {
			return err
		}
		if err := p.headers(r.id, true, ":status: 200"); err != nil {
			return err
		}
	}
}

func TestHTTP2Request(t *testing.T) {
	requests := make(chan *request, 10)
	address := peers(t, func(_ int, p *peer) error {
		for {
			r, err := p.next()
			if err != nil {
				return err
			}
			requests <- r
			if err := p.headers(r.id, true, ":status: 204"); err != nil {
				return err
			}
		}
	})
	tg := open(t, "h2c://"+address, target.Options{})
	pseudo := []string{":authority: h", ":scheme: http", ":path: /", ":method: POST"}
	long := "x-long: " + strings.Repeat("v", 50_000)
	tests := []struct {
		r               *target.Request
		headers, frames []string
		body            string
	}{
		{&target.Request{Headers: headers(append(pseudo, "b: 1", "a: 2", "b: 1")...)}, append(pseudo, "b: 1", "a: 2", "b: 1"), []string{"HEADERS"}, ""},
		{&target.Request{Headers: headers(pseudo...), HasBody: true}, pseudo, []string{"HEADERS", "DATA 0"}, ""},
		{&target.Request{Headers: headers(pseudo...), HasBody: true, Body: []byte("ok")}, pseudo, []string{"HEADERS", "DATA 2"}, "ok"},
		{&target.Request{Headers: headers(pseudo...), HasBody: true, Body: []byte("ok"), Trailers: headers("t: 1")}, append(pseudo, "t: 1"), []string{"HEADERS", "DATA 2", "HEADERS"}, "ok"},
		{&target.Request{Headers: headers(pseudo...), Trailers: headers("t: 1")}, append(pseudo, "t: 1"), []string{"HEADERS", "HEADERS"}, ""},
		{&target.Request{Headers: headers(append(pseudo, long)...)}, append(pseudo, long), []string{"HEADERS"}, ""},
	}
	for _, tt := range tests {
		if _, err := tg.Do(t.Context(), tt.r); err != nil {
			t.Fatal(err)
		}
		got := <-requests
		if d := cmp.Diff(tt.headers, got.headers); d != "" {
			t.Errorf("headers (-want +got):\n%s", d)
		}
		if d := cmp.Diff(tt.frames, got.frames); d != "" {
			t.Errorf("frames (-want +got):\n%s", d)
		}
		if string(got.body) != tt.body {
			t.Errorf("body %q, want %q", got.body, tt.body)
		}
	}
}

// Windows of a few octets, which change after the first request, and a PING.
func TestHTTP2FlowControl(t *testing.T) {
	address := peers(t, func(_ int, p *peer) error {
		first, err := p.next()
		if err != nil {
			return err
		}
		if err := errors.Join(
			p.headers(first.id, true, ":status: 200"),
			p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 3}),
			p.WritePing(false, [8]byte{1}),
		); err != nil {
			return err
		}
		r, err := p.next()
		if err != nil {
			return err
		}
		if err := p.headers(r.id, false, ":status: 200", "frames: "+strings.Join(r.frames, " ")); err != nil {
			return err
		}
		if err := p.WriteData(r.id, true, r.body); err != nil {
			return err
		}
		_, err = p.next()
		return err
	}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
	tg := open(t, "h2c://"+address, target.Options{})
	if _, err := tg.Do(t.Context(), get("GET")); err != nil {
		t.Fatal(err)
	}
	r := get("POST")
	r.HasBody, r.Body = true, bytes.Repeat([]byte("0123456789"), 20)
	m, err := tg.Do(t.Context(), r)
	if err != nil || !bytes.Equal(m.Body, r.Body) {
		t.Fatalf("got %q, %v", m.Body, err)
	}
	got := show(m)
	if !strings.Contains(got, "PING ack=true") {
		t.Errorf("the ping was not answered: %s", got)
	}
	if strings.Count(got, "DATA") < len(r.Body)/3 {
		t.Errorf("the window was not kept to: %s", got)
	}
}

func TestHTTP2Answers(t *testing.T) {
	body := func(p *peer, id uint32, s string) error { return p.WriteData(id, true, []byte(s)) }
	tests := []struct {
		name, method string
		serve        func(p *peer, id uint32) error
		want         string // empty: ErrMalformed
	}{
		{"1xx", "GET", func(p *peer, id uint32) error {
			return errors.Join(p.headers(id, false, ":status: 103", "link: a"), p.headers(id, false, ":status: 200"), body(p, id, "ok"))
		}, "200 [] ok []"},
		{"trailers", "GET", func(p *peer, id uint32) error {
			return errors.Join(p.headers(id, false, ":status: 200", "a: 1", "b: ", "a:  2 "), p.WriteDataPadded(id, false, []byte("ok"), make([]byte, 5)), p.headers(id, true, "t: 1"))
		}, "200 [a=1 b= a= 2 ] ok [t=1]"},
		{"continuation", "GET", func(p *peer, id uint32) error {
			b := p.encode(":status: 200", "a: 1")
			return errors.Join(p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b[:1], EndStream: true}), p.WriteContinuation(id, true, b[1:]))
		}, "200 [a=1]  []"},
		{"stale frames", "GET", func(p *peer, id uint32) error {
			return errors.Join(p.WriteWindowUpdate(id, 9), p.WritePriority(id, http2.PriorityParam{}), p.headers(id, true, ":status: 200"), p.WriteRSTStream(id, http2.ErrCodeNo))
		}, "200 []  []"},
		{"HEAD", "HEAD", func(p *peer, id uint32) error { return p.headers(id, true, ":status: 200", "content-length: 5") }, "200 [content-length=5]  []"},
		{"304 with a length", "GET", func(p *peer, id uint32) error { return p.headers(id, true, ":status: 304", "content-length: 5") }, "304 [content-length=5]  []"},
		{"HEAD with a body", "HEAD", func(p *peer, id uint32) error {
			return errors.Join(p.headers(id, false, ":status: 200"), body(p, id, "x"))
		}, ""},
		{"204 with a length", "GET", func(p *peer, id uint32) error { return p.headers(id, true, ":status: 204", "content-length: 5") }, ""},
		{"another length", "GET", func(p *peer, id uint32) error {
			return errors.Join(p.headers(id, false, ":status: 200", "content-length: 3"), body(p, id, "ok"))
		}, ""},
		{"length twice", "GET", func(p *peer, id uint32) error {
			return errors.Join(p.headers(id, false, ":status: 200", "content-length: 2", "content-length: 2"), body(p, id, "ok"))
		}, ""},
		{"a connection header", "GET", func(p *peer, id uint32) error { return p.headers(id, true, ":status: 200", "connection: close") }, ""},
		{"101", "GET", func(p *peer, id uint32) error { return p.headers(id, false, ":status: 101") }, ""},
		{"status of four digits", "GET", func(p *peer, id uint32) error { return p.headers(id, true, ":status: 2000") }, ""},
		{"no status", "GET", func(p *peer, id uint32) error { return p.headers(id, true, "a: 1") }, ""},
		{"a capital letter", "GET", func(p *peer, id uint32) error { return p.headers(id, true, ":status: 200", "A: 1") }, ""},
		{"trailers that do not end", "GET", func(p *peer, id uint32) error {
			return errors.Join(p.headers(id, false, ":status: 200"), p.headers(id, false, "t: 1"))
		}, ""},
		{"a body first", "GET", func(p *peer, id uint32) error { return body(p, id, "x") }, ""},
		{"a body above the limit", "GET", func(p *peer, id uint32) error {
			return errors.Join(p.headers(id, false, ":status: 200"), body(p, id, strings.Repeat("x", 101)))
		}, ""},
		{"headers above the limit", "GET", func(p *peer, id uint32) error {
			lines := []string{":status: 200"}
			for range 20 {
				lines = append(lines, "x: "+strings.Repeat("v", 60_000))
			}
			b := p.encode(lines...)
			err := p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b[:1], EndStream: true})
			for b = b[1:]; err == nil && len(b) > 0; {
				n := min(len(b), 16384)
				err = p.WriteContinuation(id, n == len(b), b[:n])
				b = b[n:]
			}
			return err
		}, ""},
		{"a push", "GET", func(p *peer, id uint32) error {
			return p.WritePushPromise(http2.PushPromiseParam{StreamID: id, PromiseID: 2, BlockFragment: p.encode(":method: GET"), EndHeaders: true})
		}, ""},
		{"no frame", "GET", func(p *peer, _ uint32) error {
			_, err := p.c.Write([]byte("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"))
			return err
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address := peers(t, func(_ int, p *peer) error {
				p.AllowIllegalWrites = true
				r, err := p.next()
				if err != nil {
					return err
				}
				if err := tt.serve(p, r.id); err != nil {
					return err
				}
				_, err = p.next()
				return err
			})
			m, err := open(t, "h2c://"+address, target.Options{MaxBody: 100}).Do(t.Context(), get(tt.method))
			if tt.want == "" {
				if !errors.Is(err, target.ErrMalformed) {
					t.Errorf("got %v, %v; want ErrMalformed", m, err)
				}
				return
			}
			if err != nil || show(m) != tt.want {
				t.Errorf("got %s, %v; want %s", show(m), err, tt.want)
			}
		})
	}
}

// A request that the server says it did not process is sent again, once.
func TestHTTP2NotProcessed(t *testing.T) {
	refusals := map[string]func(p *peer, id uint32) error{
		"REFUSED_STREAM": func(p *peer, id uint32) error { return p.WriteRSTStream(id, http2.ErrCodeRefusedStream) },
		"GOAWAY":         func(p *peer, _ uint32) error { return p.WriteGoAway(0, http2.ErrCodeNo, nil) },
	}
	for name, refuse := range refusals {
		for times, want := range map[int]error{1: nil, 2: target.ErrUnreachable} {
			var connections atomic.Int32
			address := peers(t, func(n int, p *peer) error {
				connections.Add(1)
				if n >= times {
					return p.ok()
				}
				r, err := p.next()
				if err != nil {
					return err
				}
				if err := refuse(p, r.id); err != nil {
					return err
				}
				_, err = p.next()
				return err
			})
			_, err := open(t, "h2c://"+address, target.Options{}).Do(t.Context(), get("POST"))
			if !errors.Is(err, want) || connections.Load() != 2 {
				t.Errorf("%s %d times: %v after %d connections", name, times, err, connections.Load())
			}
		}
	}
}

// A request that the server may have processed is not sent again.
func TestHTTP2NotSentTwice(t *testing.T) {
	for name, end := range map[string]func(p *peer, id uint32) error{
		"closed": func(*peer, uint32) error { return nil },
		"reset":  func(p *peer, id uint32) error { return p.WriteRSTStream(id, http2.ErrCodeInternal) },
		"GOAWAY": func(p *peer, id uint32) error { return p.WriteGoAway(id, http2.ErrCodeInternal, nil) },
	} {
		var read atomic.Int32
		address := peers(t, func(_ int, p *peer) error {
			r, err := p.next()
			if err != nil {
				return err
			}
			read.Add(1)
			return end(p, r.id)
		})
		if _, err := open(t, "h2c://"+address, target.Options{}).Do(t.Context(), get("POST")); !errors.Is(err, target.ErrReset) {
			t.Errorf("%s: got %v, want ErrReset", name, err)
		}
		if n := read.Load(); n != 1 {
			t.Errorf("%s: the server read %d requests, 1 was to be sent", name, n)
		}
	}
}

// What arrives between requests is taken in before the next one: a GOAWAY and
// an end lead to a new connection, a PING and new settings do not.
func TestHTTP2WhileIdle(t *testing.T) {
	for name, tt := range map[string]struct {
		idle        func(p *peer) error
		connections int32
	}{
		"ping":     {func(p *peer) error { return p.WritePing(false, [8]byte{}) }, 1},
		"settings": {func(p *peer) error { return p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 9}) }, 1},
		"GOAWAY":   {func(p *peer) error { return p.WriteGoAway(1, http2.ErrCodeNo, nil) }, 2},
		"closed":   {func(p *peer) error { return errors.Join(p.WriteGoAway(1, http2.ErrCodeNo, nil), p.c.Close()) }, 2},
	} {
		var connections atomic.Int32
		answered := make(chan struct{})
		address := peers(t, func(n int, p *peer) error {
			connections.Add(1)
			if n > 0 {
				return p.ok()
			}
			r, err := p.next()
			if err != nil {
				return err
			}
			if err := p.headers(r.id, true, ":status: 200"); err != nil {
				return err
			}
			<-answered
			if err := tt.idle(p); err != nil {
				return err
			}
			return p.ok()
		})
		tg := open(t, "h2c://"+address, target.Options{})
		if _, err := tg.Do(t.Context(), get("POST")); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		close(answered)
		until(t, func() bool { return tg.IdleData() || tg.IdleEnded() })
		r := get("POST")
		r.HasBody, r.Body = true, []byte("more than nine octets")
		if _, err := tg.Do(t.Context(), r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n := connections.Load(); n != tt.connections {
			t.Errorf("%s: %d connections, want %d", name, n, tt.connections)
		}
	}
}

// An answer before the whole request has gone is taken, and the connection left.
func TestHTTP2EarlyAnswer(t *testing.T) {
	address := peers(t, func(_ int, p *peer) error {
		for {
			f, err := p.ReadFrame()
			if err != nil {
				return err
			}
			if h, ok := f.(*http2.MetaHeadersFrame); ok {
				if err := p.headers(h.StreamID, true, ":status: 413"); err != nil {
					return err
				}
			}
		}
	})
	tg := open(t, "h2c://"+address, target.Options{})
	for range 2 {
		r := get("POST")
		r.HasBody, r.Body = true, make([]byte, 1<<20) // more than the window
		if m, err := tg.Do(t.Context(), r); err != nil || m.Status != 413 {
			t.Fatalf("got %v, %v", m, err)
		}
	}
}

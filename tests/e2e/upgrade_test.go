package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"golang.org/x/net/websocket"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// echoSocket is a pipeline of WebSockets that says everything again.
func echoSocket(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(websocket.Handler(func(c *websocket.Conn) {
		_, _ = io.Copy(c, c) // ends with the client
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// dialSocket opens a WebSocket through Envoy by HTTP/1.1's upgrade.
func dialSocket(s *site) (*websocket.Conn, error) {
	config, err := websocket.NewConfig("ws://"+s.envoy.Addr+"/chat", "http://localhost/")
	if err != nil {
		s.t.Fatal(err)
	}
	return config.DialContext(s.t.Context())
}

// gapsOf lists the gaps of a closed log.
func gapsOf(t *testing.T, log string) (gaps []string) {
	t.Helper()
	eachEvent(t, log, 0, func(_ auditlog.Entry, ev *logv1.Event) bool {
		if g := ev.GetGap(); g != nil {
			gaps = append(gaps, fmt.Sprintf("%d %s", g.GetExchanges(), g.GetReason()))
		}
		return true
	})
	return gaps
}

// TestAWebSocketPassesAsAGap: by setting, and where nothing can be refused.
func TestAWebSocketPassesAsAGap(t *testing.T) {
	inPlaces(t, observing, func(t *testing.T, p wirePlace) {
		setting := "pass"
		if !p.refuses {
			setting = "refuse"
		}
		webSocketPasses(t, newSite(t, p.options(siteOptions{upstream: echoSocket(t), serve: []string{"--upgrades", setting}}, "meter")))
	})
}

func webSocketPasses(t *testing.T, s *site) {
	conn, err := dialSocket(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"first", strings.Repeat("x", 1<<20), "last"} {
		if _, err := io.WriteString(conn, word); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(word))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != word {
			t.Fatalf("%d octets came back changed, %v", len(got), err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	extended, status := extendedConnect(t, s)
	if status != "200" {
		t.Errorf("extended CONNECT: status %s", status)
	}
	_ = extended.Close() // what it would carry is the same
	s.stop()
	passed := 0
	for _, gap := range gapsOf(t, s.log) {
		var n int
		if _, err := fmt.Sscanf(gap, "%d an upgrade to websocket passed unrecorded", &n); err != nil {
			t.Errorf("a gap of %s", gap)
		}
		passed += n
	}
	if passed != 2 {
		t.Errorf("gaps tell of %d upgrades, want 2", passed)
	}
	if r := s.verify(0, s.log); r.Requests != 0 {
		t.Errorf("%d requests", r.Requests)
	}
}

func TestAWebSocketIsRefused(t *testing.T) {
	s := newSite(t, siteOptions{upstream: echoSocket(t)})
	c := openWire(t, s.envoy.Addr, []byte("GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"+
		"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"))
	if status, body := answerOf(t, c, "GET"); status != 403 || !strings.Contains(body, "verbatim: an upgrade to websocket is refused") {
		t.Errorf("status %d: %s", status, body)
	}
	extended, status := extendedConnect(t, s)
	if status != "403" {
		t.Errorf("extended CONNECT: status %s", status)
	}
	_ = extended.Close() // it was refused
	s.stop()
	list := recordedExchanges(t, s.log)
	if len(list) != 2 {
		t.Fatalf("%d requests recorded, want 2", len(list))
	}
	for _, x := range list {
		if x.abort.GetCause() != logv1.AbortCause_ABORT_CAUSE_REFUSED || x.abort.GetDelivered() != logv1.Delivered_DELIVERED_NO {
			t.Errorf("abort %v", x.abort)
		}
	}
}

// extendedConnect asks for a WebSocket over HTTP/2, RFC 8441, and returns the
// answer's status.
func extendedConnect(t *testing.T, s *site) (conn net.Conn, status string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.envoy.Addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(wireTimeout)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	var block strings.Builder
	encoder := hpack.NewEncoder(&block)
	for _, h := range [][2]string{
		{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/chat"}, {":authority", "a"},
		{"origin", "http://localhost/"}, {"sec-websocket-version", "13"}, {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
	} {
		if err := encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}); err != nil {
			t.Fatal(err)
		}
	}
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(block.String()), EndHeaders: true}); err != nil {
		t.Fatal(err)
	}
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if head, ok := frame.(*http2.MetaHeadersFrame); ok {
			return conn, head.PseudoValue("status")
		}
	}
}

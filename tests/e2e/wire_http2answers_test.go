package e2e

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"verbatim/filter"
)

// oddStreamAnswer is what a pipeline answers over HTTP/2. One that is not whole
// is not passed on by Envoy.
type oddStreamAnswer struct {
	name   string
	answer wireStreamAnswer
	whole  bool
}

func oddStreamAnswers() []oddStreamAnswer {
	ok := func(lines ...string) []string { return append([]string{":status: 200"}, lines...) }
	body := []byte("answer")
	return []oddStreamAnswer{
		{"headers alone", wireStreamAnswer{headers: ok("x-a: 1")}, true},
		{"gRPC, trailers only", wireStreamAnswer{headers: ok("content-type: application/grpc", "grpc-status: 12", "grpc-message: no")}, true},
		{"gRPC, unary", wireStreamAnswer{headers: ok("content-type: application/grpc"), body: []byte("\x00\x00\x00\x00\x01a"), trailers: []string{"grpc-status: 0", "grpc-message: "}}, true},
		{"trailers and no body", wireStreamAnswer{headers: ok(), trailers: []string{"x-t: 1"}}, true},
		{"204", wireStreamAnswer{headers: []string{":status: 204", "x-a: 1"}}, true},
		{"204 with content-length 0", wireStreamAnswer{headers: []string{":status: 204", "content-length: 0"}}, true},
		{"304 with a content-length", wireStreamAnswer{headers: []string{":status: 304", "content-length: 5"}}, true},
		{"a content-length", wireStreamAnswer{headers: ok("content-length: 6"), body: body}, true},
		{"headers that Envoy joins", wireStreamAnswer{headers: ok("vary: a", "set-cookie: 1", "vary: b", "set-cookie: 2", "vary: "), body: body}, true},
		{"values in white space", wireStreamAnswer{headers: ok("x-a:  1 ", "x-b: \t2\t"), body: body}, true},
		{"ignored headers", wireStreamAnswer{headers: ok("x-a: 1", "date: today", "x-request-id: 7"), body: body, trailers: []string{"date: today", "x-t: 1"}}, true},
		{"103 before it", wireStreamAnswer{before: []string{":status: 103", "link: </a>"}, headers: ok("x-a: 1"), body: body}, true},
		{"the pipeline's own 503", wireStreamAnswer{headers: []string{":status: 503"}, body: body}, true},
		{"status 600", wireStreamAnswer{headers: []string{":status: 600"}, body: body}, true},
		{"te", wireStreamAnswer{headers: ok("te: trailers", "x-a: 1"), body: body}, true},
		{"shorter than its content-length", wireStreamAnswer{headers: ok("content-length: 7"), body: body}, false},
		{"longer than its content-length", wireStreamAnswer{headers: ok("content-length: 5"), body: body}, false},
		{"no status", wireStreamAnswer{headers: []string{"x-a: 1"}, body: body}, false},
		{"status of four digits", wireStreamAnswer{headers: []string{":status: 2000"}, body: body}, false},
		{"a field of one connection", wireStreamAnswer{headers: ok("connection: close"), body: body}, false},
		{"204 with a body", wireStreamAnswer{headers: []string{":status: 204"}, body: body}, false},
		{"a control character", wireStreamAnswer{headers: ok("x-a: a\x01b"), body: body}, false},
	}
}

func startOddStreams(t *testing.T) *wireHTTP2Server {
	t.Helper()
	odd := oddStreamAnswers()
	return startWireHTTP2Server(t, func(m wireStream) wireStreamAnswer {
		for _, l := range m.Headers {
			if i, err := strconv.Atoi(strings.TrimPrefix(l, ":path: /")); err == nil && i < len(odd) {
				return odd[i].answer
			}
		}
		return wireStreamAnswer{headers: []string{":status: 404"}}
	})
}

// TestWireHTTP2Answers is TestWireResponses over HTTP/2.
func TestWireHTTP2Answers(t *testing.T) { inPlaces(t, behindRouter, http2Answers) }

func http2Answers(t *testing.T, p wirePlace) {
	s := newSite(t, p.options(siteOptions{upstream: startOddStreams(t).addr, protocol: filter.H2}, "meter"))
	odd := oddStreamAnswers()
	for i := range odd {
		answer, err := io.ReadAll(openWire(t, s.envoy.Addr, fmt.Appendf(nil, "GET /%d HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n", i)))
		if err != nil {
			t.Fatalf("%s: %v", odd[i].name, err)
		}
		if !odd[i].whole && p.holds && !strings.HasPrefix(string(answer), "HTTP/1.1 502 ") {
			t.Errorf("%s: it broke off, and the client got %.100q", odd[i].name, answer)
		}
	}
	p.stop(s, len(odd))
	recorded := p.exchanges(s)
	if len(recorded) != len(odd) {
		t.Fatalf("%d exchanges recorded, want %d", len(recorded), len(odd))
	}
	direct := openTarget(t, "h2c://"+startOddStreams(t).addr)
	whole := 0
	for i, o := range odd {
		if o.whole {
			whole++
			checkOutput(t, o.name, direct, recorded[i])
		} else if x := recorded[i]; x.abort == nil && x.response.GetLocalReply() == nil {
			t.Errorf("%s: it broke off, and is recorded as the pipeline's answer: %v", o.name, x.response)
		}
	}
	checkReplay(t, s, "h2c://"+startOddStreams(t).addr, whole)
}

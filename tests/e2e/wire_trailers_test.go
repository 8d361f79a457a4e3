package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"verbatim/filter"
)

// TestWireTrailersWithoutBody: of a request with trailers and an empty body Envoy
// shows headers and trailers alone, and takes new headers only before it shows
// trailers. Such a request can't be given its clock: it is refused with a
// sentence, and neither recorded nor let through. Where Envoy sets the clock itself, it
// is one as any other.
func TestWireTrailersWithoutBody(t *testing.T) { inPlaces(t, behindRouter, trailersWithoutBody) }

func trailersWithoutBody(t *testing.T, p wirePlace) {
	for _, protocol := range []filter.Protocol{filter.H1, filter.H2} {
		t.Run(protocol.String(), func(t *testing.T) { trailersWithoutBodyTo(t, p, protocol) })
	}
}

func trailersWithoutBodyTo(t *testing.T, p wirePlace, protocol filter.Protocol) {
	pipeline := startWirePipeline(t, p, protocol)
	s := newSite(t, p.options(siteOptions{upstream: pipeline.addr, protocol: protocol}, "global"))
	check := func(client string, status int, body string) {
		t.Helper()
		const sentence = "verbatim: a request with trailers and no body"
		switch {
		case !p.refuses && status == http.StatusOK:
		case p.refuses && status == http.StatusServiceUnavailable && strings.HasPrefix(body, sentence) == p.speaks:
		default:
			t.Errorf("over %s: status %d, %q", client, status, body)
		}
	}
	status, body := askWire(t, s.envoy.Addr, []byte("POST /t HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-t: 1\r\n\r\n"))
	check("HTTP/1.1", status, body)
	client := openTarget(t, "h2c://"+s.envoy.Addr)
	for _, end := range []string{"HEADERS", "DATA"} { // without and with an empty DATA
		m, err := sendStream(t, client, wireStream{Headers: pseudo("POST", "/t"), End: end, Trailers: []string{"x-t: 1"}})
		if err != nil {
			t.Fatal(err)
		}
		check("HTTP/2", m.Status, string(m.Body))
	}
	// What was refused leaves no turn behind that the next one would wait for.
	if status, body := askWire(t, s.envoy.Addr, []byte("GET /after HTTP/1.1\r\nhost: h\r\n\r\n")); status != http.StatusOK {
		t.Errorf("the next request: status %d, %q", status, body)
	}
	want := 1
	if !p.refuses {
		want = 4
	}
	p.stop(s, want)
	got, recorded := pipeline.lists(), p.exchanges(s)
	if len(got) != want || len(recorded) != want || recorded[want-1].header(":path") != "/after" {
		t.Fatalf("the pipeline got %q, the log has %d requests; want %d", got, len(recorded), want)
	}
	for i, x := range recorded {
		if list := linesOf(x.trailers); x.response == nil || (len(list) == 1 && list[0] == "x-t: 1") != (i < want-1) {
			t.Errorf("request %d: response %v, trailers %q", i, x.response, list)
		}
	}
}

// TestWireLengthAndTrailers sends a length and trailers over HTTP/2 to a pipeline
// that speaks HTTP/1.1. A sized message has no room for trailers there: Envoy
// drops them, and so does the replay. The log keeps what the client sent.
func TestWireLengthAndTrailers(t *testing.T) { inPlaces(t, observing, lengthAndTrailers) }

func lengthAndTrailers(t *testing.T, p wirePlace) {
	captured := startWireServer(t, p.echo)
	s := newSite(t, p.options(siteOptions{upstream: captured.addr}, "meter"))
	client := openTarget(t, "h2c://"+s.envoy.Addr)
	for _, lines := range [][]string{{"x-a: 1", "content-length: 5", "x-b: 2"}, {"x-a: 1"}} {
		m, err := sendStream(t, client, wireStream{
			Headers: pseudo("POST", "/l", lines...), Body: []byte("hello"), End: "DATA", Trailers: []string{"x-t: 1", "x-u: 2"},
		})
		if err != nil || m.Status != http.StatusOK {
			t.Fatalf("status %d, %v", m.Status, err)
		}
	}
	p.stop(s, 2)
	got, recorded := captured.received(), p.exchanges(s)
	if len(got) != 2 || len(recorded) != 2 {
		t.Fatalf("the pipeline got %d requests, the log has %d, want 2 of each", len(got), len(recorded))
	}
	for i, want := range []string{"", "x-t: 1\r\nx-u: 2\r\n"} {
		if got[i].trailers != want || string(got[i].body) != "hello" {
			t.Errorf("the pipeline got %q", got[i].raw)
		}
		if list := linesOf(recorded[i].trailers); !slices.Equal(list, []string{"x-t: 1", "x-u: 2"}) {
			t.Errorf("recorded trailers %q", list)
		}
	}
	if !strings.Contains(got[0].head, "\r\nx-a: 1\r\ncontent-length: 5\r\nx-b: 2\r\n") {
		t.Errorf("the pipeline got %q", got[0].head)
	}
	replayed := startWireServer(t, p.echo)
	checkReplay(t, s, "http://"+replayed.addr, 2)
	checkSameWire(t, p, got, replayed.received())
}

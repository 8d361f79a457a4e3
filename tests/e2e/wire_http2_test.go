package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"verbatim/filter"
	"verbatim/replay/target"
	"verbatim/sidecar/output"
)

// describeStream answers with all that came of a request, so that a replay which
// sends others diverges, in header, body and trailers of every kind.
func describeStream(m wireStream) wireStreamAnswer {
	a := wireStreamAnswer{headers: []string{
		":status: 200", "content-type: application/grpc", "set-cookie: a=1", "x-a: 1", "set-cookie: b=2",
		"x-bin: \xff\x80", "x-long: " + strings.Repeat("v", 60_000), "x-empty: ",
	}}
	if !slices.Contains(m.Headers, ":method: HEAD") {
		a.body = fmt.Appendf(nil, "%q %x %q %s\n%s", m.Headers, sha256.Sum256(m.Body), m.Trailers, m.End, m.Body)
		a.trailers = []string{"grpc-status: 0", "x-t: 1", "x-bin: \xfe", "x-t: 2"}
	}
	return a
}

// TestWireHTTP2 is TestWireRequests for a client and a pipeline that speak
// HTTP/2: the header list in order, joined DATA and trailers are the same at the
// client, at the capture, in the log and at the replay.
func TestWireHTTP2(t *testing.T) { inPlaces(t, behindRouter, wireHTTP2) }

func wireHTTP2(t *testing.T, p wirePlace) {
	captured := startWireHTTP2Server(t, describeStream)
	s := newSite(t, p.options(siteOptions{upstream: captured.addr, protocol: filter.H2}, "global"))
	client := openTarget(t, "h2c://"+s.envoy.Addr)
	var answers []output.Message
	for _, c := range streamCases() {
		m, err := sendStream(t, client, c.sent)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		answers = append(answers, m)
	}
	p.stop(s, len(streamCases()))
	got, recorded := captured.received(), p.exchanges(s)
	if n := len(streamCases()); len(got) != n || len(recorded) != n {
		t.Fatalf("the pipeline got %d requests, the log has %d, want %d of each", len(got), len(recorded), n)
	}
	for i, c := range streamCases() {
		checkStream(t, c, recorded[i], got[i])
		checkStreamAnswer(t, c.name, recorded[i], answers[i], describeStream(got[i]))
	}
	replayed := startWireHTTP2Server(t, describeStream)
	checkReplay(t, s, "h2c://"+replayed.addr, len(got))
	checkSameStreams(t, p, got, replayed.received())
}

// sendStream sends a request exactly as given, by the replay's client.
func sendStream(t *testing.T, client *target.Target, m wireStream) (output.Message, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wireTimeout)
	defer cancel()
	return client.Do(ctx, &target.Request{
		Headers: headerList(m.Headers...), HasBody: m.End == "DATA", Body: m.Body, Trailers: headerList(m.Trailers...),
	})
}

// checkStream compares what the client sent, what was recorded and what the
// pipeline got: the same, with x-forwarded-proto, the clock and the seed last.
func checkStream(t *testing.T, c streamCase, x *recordedExchange, got wireStream) {
	t.Helper()
	want := wireStream{Headers: c.sent.Headers, Body: c.sent.Body, Trailers: c.sent.Trailers, End: c.sent.End}
	if c.changed != nil {
		want.Headers = c.changed
	}
	want.Headers = slices.Concat(want.Headers, []string{
		"x-forwarded-proto: http", clockHeader + ": " + x.header(clockHeader), seedHeader + ": " + x.header(seedHeader),
	})
	if !want.equal(got) {
		t.Errorf("%s: the pipeline got\n%v, want\n%v", c.name, got, want)
	}
	in := wireStream{
		Headers: linesOf(x.request.GetHeaders()), Body: x.body, Trailers: linesOf(x.trailers), End: got.End,
	}
	if !in.equal(got) || x.request.GetHasBody() != (got.End != "HEADERS") {
		t.Errorf("%s: recorded\n%v, the pipeline got\n%v", c.name, in, got)
	}
}

// checkStreamAnswer compares what the pipeline answered with what the client got
// and what was recorded.
func checkStreamAnswer(t *testing.T, name string, x *recordedExchange, got output.Message, want wireStreamAnswer) {
	t.Helper()
	headers := slices.DeleteFunc(linesOf(got.Headers), func(l string) bool { return strings.HasPrefix(l, "date: ") })
	if got.Status != 200 || !slices.Equal(headers, want.headers[1:]) || !bytes.Equal(got.Body, want.body) || !slices.Equal(linesOf(got.Trailers), want.trailers) {
		t.Errorf("%s: the client got %d, %.300q, a body of %d octets and %q", name, got.Status, headers, len(got.Body), linesOf(got.Trailers))
	}
	answer := output.Message{Status: 200, Headers: headerList(want.headers[1:]...), Trailers: headerList(want.trailers...)}
	if recorded, err := output.Decode(x.response.GetOutput()); err == nil && len(recorded.GetStreamSha256()) > 0 {
		answer.Stream = output.StreamOf(want.body) // gRPC's content type: it was seen in parts
	} else if want.body != nil {
		answer.Body = want.body
	}
	m, err := output.Canonical(answer, output.DefaultIgnorePolicy())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.Output, x.response.GetOutput()) {
		t.Errorf("%s: the recorded output is not what the pipeline answered", name)
	}
}

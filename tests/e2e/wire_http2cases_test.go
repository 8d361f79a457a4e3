package e2e

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// streamCase is an odd HTTP/2 request that Envoy passes on.
type streamCase struct {
	name    string
	sent    wireStream
	changed []string // the header list after Envoy's own changes; nil: none
}

// pseudo is a header list with the pseudo headers in front.
func pseudo(method, path string, lines ...string) []string {
	return append([]string{":method: " + method, ":scheme: http", ":authority: pipeline.example:80", ":path: " + path}, lines...)
}

func streamCases() []streamCase {
	post := pseudo("POST", "/b", "x-a: 1")
	hello, large := []byte("hello"), bytes.Repeat([]byte("meter,"), 1<<19) // 3 MiB
	sized := slices.Concat(post, []string{fmt.Sprintf("content-length: %d", len(large)), "x-b: 2"})
	long, longer := "x-long: "+strings.Repeat("v", 30_000), "x-longer: "+strings.Repeat("w", 30_000)
	headers := func(name string, lines []string, changed ...string) streamCase {
		return streamCase{name, wireStream{Headers: lines, End: "HEADERS"}, changed}
	}
	data := func(name string, lines []string, body []byte) streamCase {
		return streamCase{name: name, sent: wireStream{Headers: lines, Body: body, End: "DATA"}}
	}
	trailers := func(name string, lines []string, body []byte, list ...string) streamCase {
		return streamCase{name: name, sent: wireStream{Headers: lines, Body: body, Trailers: list, End: "TRAILERS"}}
	}
	return []streamCase{
		headers("an odd path and duplicates", pseudo("GET", "/a%2Fb//../c?x=%zz&y", "x-b: 1", "x-a: 2", "x-b: 3", "x-b: 1")),
		headers("pseudo headers in another order", []string{":path: /p", ":authority: h", ":scheme: http", ":method: GET", "x-a: 1"}),
		headers("HEAD", pseudo("HEAD", "/h")),
		headers("an unknown method", pseudo("FOOBAR", "/h")),
		headers("POST without a body", post),
		data("an empty body", post, nil),
		data("a body", post, hello),
		data("a body with a length", pseudo("PUT", "/b", "content-length: 5", "x-a: 1"), hello),
		data("a large body", post, large),
		data("a large body with a length", sized, large),
		trailers("trailers", post, hello, "x-t: 1", "x-u: 2", "x-t: 3", "x-bin: \xff\x80"),
		trailers("a large body and trailers", post, large, "x-t: 1", "x-long: "+strings.Repeat("t", 40_000)),
		trailers("a large body with a length and trailers", sized, large, "x-t: 1"),
		headers("headers of 60 KB", pseudo("GET", "/h", long, "x-a: 1", longer)),
		headers("values of any octet", pseudo("GET", "/h", "x-bin: \xff\x80\xfe", "x-tab: a\tb", "x-space:  a ", "x-empty: ")),
		data("a unary gRPC call", pseudo("POST", "/meter.v1.Meters/Price", "content-type: application/grpc", "te: trailers",
			"grpc-timeout: 10S", "grpc-encoding: identity", "user-agent: grpc-go/1.85.0", "x-token-bin: AAEC"), []byte("\x00\x00\x00\x00\x03abc")),
		headers("cookies, which Envoy joins", pseudo("GET", "/h", "cookie: a=1", "x-a: 1", "cookie: b=2"),
			pseudo("GET", "/h", "x-a: 1", "cookie: a=1; b=2")...),
		headers("headers that Envoy joins", pseudo("GET", "/h", "accept: a", "x-a: 1", "accept: b"),
			pseudo("GET", "/h", "accept: a,b", "x-a: 1")...),
		headers("the client's own clock and seed, twice", pseudo("GET", "/h", "x-verbatim-seed: 1", "x-a: 1", "x-verbatim-clock-ms: 2", "x-verbatim-seed: 3", "x-verbatim-clock-ms: 4"),
			pseudo("GET", "/h", "x-a: 1")...),
	}
}

func (m wireStream) equal(o wireStream) bool {
	return slices.Equal(m.Headers, o.Headers) && bytes.Equal(m.Body, o.Body) && slices.Equal(m.Trailers, o.Trailers) && m.End == o.End
}

// String cuts what is long.
func (m wireStream) String() string {
	return fmt.Sprintf("%.700q, a body of %d octets %.40q, trailers %.200q, ended by %s", m.Headers, len(m.Body), m.Body, m.Trailers, m.End)
}

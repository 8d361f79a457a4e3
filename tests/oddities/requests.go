package oddities

import (
	"fmt"
	"strings"
)

// request is a passed request; the headers follow the host line.
func request(name, method, target, headers, body string) Request {
	raw := fmt.Sprintf("%s %s HTTP/1.1\r\nhost: pipeline.example:8080\r\n%s\r\n%s", method, target, headers, body)
	return Request{Name: name, Raw: []byte(raw), Passed: true}
}

// refused is a request that Envoy answers itself.
func refused(name, raw string) Request { return Request{Name: name, Raw: []byte(raw)} }

// targets are odd request targets.
func targets() []Request {
	var list []Request
	for _, path := range []string{
		"/", "//", "/a//b", "/a/../b", "/a/./b/..", "/%2e%2e/", "/%2E%2e/%2F", "/%41%4a%zz%", "/%00", "/a%20b",
		"/a+b", "/a;p=1,2", "/a:b@c", "/?", "/?q", "/?q=1&q=2&=", "/a?b?c", "/a?/../b//c", "/?x=[]{}|\\^`\"<>",
		"/a\\b", "/~user/$&'()*", "/?q=%E2%82%AC%ff", "/" + strings.Repeat("long/", 2_000), "/a?" + strings.Repeat("k=v&", 1_000),
	} {
		name := "target " + path
		if len(name) > 40 {
			name = name[:40] + "..."
		}
		list = append(list, request(name, "GET", path, "", ""))
	}
	return append(list,
		request("target with a scheme and an authority", "GET", "http://other.example:81/p//q?r", "", ""),
		request("target with an authority in capitals", "GET", "http://OTHER.example/P", "", ""),
	)
}

// methods are methods with and without a length, because Envoy adds
// "content-length: 0" to some of them.
func methods() []Request {
	var list []Request
	for _, m := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "PURGE"} {
		list = append(list,
			request(m+" without a length", m, "/m", "x-a: 1\r\n", ""),
			request(m+" with content-length 0", m, "/m", "content-length: 0\r\nx-a: 1\r\n", ""),
			request(m+" with a body", m, "/m", "content-length: 5\r\nx-a: 1\r\n", "hello"),
			request(m+" with a chunked body", m, "/m", "transfer-encoding: chunked\r\nx-a: 1\r\n", "5\r\nhello\r\n0\r\n\r\n"),
		)
	}
	return list
}

// requestBodies are odd bodies.
func requestBodies() []Request {
	long := strings.Repeat("meter,", 30_000)
	te := "transfer-encoding: chunked\r\n"
	return []Request{
		request("an empty chunked body", "POST", "/b", te, "0\r\n\r\n"),
		request("chunks to be joined", "POST", "/b", te+"x-a: 1\r\n", "2\r\nhe\r\n1\r\nl\r\n2;x=y\r\nlo\r\n0\r\n\r\n"),
		request("a trailer", "POST", "/b", te+"trailer: x-t\r\nte: trailers\r\n", "5\r\nhello\r\n0\r\nX-T: 1\r\nx-t: 2\r\n\r\n"),
		request("a trailer and no octet", "POST", "/b", te, "0\r\nx-t: 1\r\n\r\n"),
		request("a body that looks like chunks", "POST", "/b", "content-length: 10\r\n", "2\r\nok\r\n0\r\n"),
		request("a body of every octet", "PUT", "/b", "content-length: 256\r\n", everyOctet()),
		request("a large body with a length", "POST", "/b", fmt.Sprintf("content-length: %d\r\n", len(long)), long),
		request("a large chunked body", "POST", "/b", te, fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(long), long)),
		request("a length with zeros in front", "POST", "/b", "content-length: 0005\r\n", "hello"),
		request("a length of zeros", "POST", "/b", "content-length: 00\r\n", ""),
		request("expecting 100", "POST", "/b", "expect: 100-continue\r\ncontent-length: 5\r\n", "hello"),
		request("a JSON body", "POST", "/b", "content-type: application/json\r\ncontent-length: 17\r\n", "{\"meter_id\":\"m1\"}"),
	}
}

// requestHeaders are odd header lists.
func requestHeaders() []Request {
	late := Request{Name: "host after other headers", Raw: []byte("GET /h HTTP/1.1\r\nuser-agent: u\r\nx-a: 1\r\nHost: late.example\r\nx-b: 2\r\n\r\n"), Passed: true}
	return []Request{
		late,
		{Name: "an empty host", Raw: []byte("GET /h HTTP/1.1\r\nhost:\r\nx-a: 1\r\n\r\n"), Passed: true},
		{Name: "an IPv6 host", Raw: []byte("GET /h HTTP/1.1\r\nhost: [::1]:80\r\n\r\n"), Passed: true},
		request("names in capitals", "GET", "/h", "X-UPPER: A\r\nAccept: B\r\n", ""),
		request("duplicates", "GET", "/h", "x-a: 1\r\nx-b: 2\r\nX-A: 3\r\nx-a: 1\r\n", ""),
		request("duplicates that Envoy joins", "GET", "/h", "accept: a\r\nx-a: 1\r\naccept: b\r\nuser-agent: u\r\nuser-agent: v\r\nvia: 1\r\nvia: 2\r\n", ""),
		request("cookies", "GET", "/h", "cookie: a=1; b=2\r\nx-a: 1\r\ncookie: c=3\r\n", ""),
		request("values without anything", "GET", "/h", "x-a:\r\nx-b: \t\r\nx-c:1\r\n", ""),
		request("values in white space", "GET", "/h", "x-a:   1 2  3 \t\r\n", ""),
		request("a folded value", "GET", "/h", "x-fold: a\r\n b\r\n\tc\r\n", ""),
		request("octets above 127", "GET", "/h", "x-bin: \xc3\xa9\xff\x80\r\n", ""),
		request("a name of every allowed character", "GET", "/h", "!#$%&'*+-.^_`|~09azAZ: 1\r\n", ""),
		request("fields of one hop", "GET", "/h", "connection: keep-alive, x-foo\r\nkeep-alive: 5\r\nproxy-connection: a\r\nx-foo: 1\r\nte: gzip\r\nx-bar: 2\r\n", ""),
		request("the client's own clock and seed", "GET", "/h", "x-verbatim-seed: 9\r\nx-a: 1\r\nX-Verbatim-Clock-Ms: 8\r\n", ""),
		request("forwarded by others", "GET", "/h", "x-forwarded-for: 192.0.2.1, 192.0.2.2\r\nx-forwarded-proto: https\r\nx-forwarded-host: a\r\nforwarded: for=a\r\nvia: 1.1 a\r\nx-request-id: 7\r\n", ""),
		request("headers for Envoy", "GET", "/h", "x-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 3\r\nx-envoy-upstream-rq-timeout-ms: 15000\r\nx-envoy-expected-rq-timeout-ms: 1\r\nx-a: 1\r\n", ""),
		request("tracing headers", "GET", "/h", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=b\r\nb3: 0\r\n", ""),
		request("authorization", "GET", "/h", "authorization: Bearer a.b.c\r\nproxy-authorization: Basic eA==\r\n", ""),
		request("eighty headers", "GET", "/h", manyHeaders(80), ""),
		request("a long value", "GET", "/h", "x-long: "+strings.Repeat("v", 30_000)+"\r\n", ""),
		request("lines ended by LF alone", "GET", "/h", "x-a: 1\nx-b: 2\r\n", ""),
		request("an h2c upgrade", "GET", "/h", "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\nx-a: 1\r\n", ""),
	}
}

// refusedRequests never reach a pipeline.
func refusedRequests() []Request {
	h := "host: pipeline.example\r\n"
	return []Request{
		refused("no host", "GET / HTTP/1.1\r\nx-a: 1\r\n\r\n"),
		refused("a fragment in the target", "GET /a#b HTTP/1.1\r\n"+h+"\r\n"),
		refused("octets above 127 in the target", "GET /\xc3\xa9 HTTP/1.1\r\n"+h+"\r\n"),
		refused("an unknown method", "FOOBAR / HTTP/1.1\r\n"+h+"\r\n"),
		refused("a known method with a dash", "M-SEARCH / HTTP/1.1\r\n"+h+"\r\n"),
		refused("HTTP/1.0", "GET / HTTP/1.0\r\n"+h+"\r\n"),
		refused("a length and a transfer-encoding", "POST / HTTP/1.1\r\n"+h+"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
		refused("a length twice", "POST / HTTP/1.1\r\n"+h+"content-length: 2\r\ncontent-length: 2\r\n\r\nok"),
		refused("a control character in a value", "GET / HTTP/1.1\r\n"+h+"x-a: a\x01b\r\n\r\n"),
		refused("a WebSocket upgrade", "GET / HTTP/1.1\r\n"+h+"connection: upgrade\r\nupgrade: websocket\r\n\r\n"),
		refused("OPTIONS of the server", "OPTIONS * HTTP/1.1\r\n"+h+"\r\n"),
	}
}

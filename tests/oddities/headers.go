package oddities

import (
	"fmt"
	"strings"
)

// headerLines are odd names and values.
func headerLines() []Response {
	every := make([]byte, 0, 256)
	for c := 0x20; c < 0x100; c++ {
		if c != 0x7f {
			every = append(every, byte(c))
		}
	}
	return []Response{
		withHeaders("names in capitals", "X-UPPER: A", "Content-Type: Text/Plain", "ETag: \"Q\""),
		withHeaders("a name of every allowed character", "!#$%&'*+-.^_`|~0123456789abcXYZ: 1"),
		withHeaders("a name with an underscore", "x_under: 1"),
		withHeaders("a name of digits", "123: 1"),
		withHeaders("a name of one letter", "x: 1"),
		withHeaders("a value of every allowed octet", "x-all: ["+string(every)+"]"),
		withHeaders("a value with a tab", "x-tab: a\tb"),
		withHeaders("a value with colons", "x-colon: a: b: c", "x-url: http://a:1/b"),
		withHeaders("a value that is not UTF-8", "x-bin: \xff\xfe\x80"),
		withHeaders("a long value", "x-long: "+strings.Repeat("v", 40_000)),
		withHeaders("a long name", strings.Repeat("n", 5_000)+": 1"),
		withHeaders("request headers in a response", "host: a", "authorization: b", "cookie: c", "user-agent: d", "x-forwarded-for: e"),
		withHeaders("headers of Envoy", "x-envoy-upstream-service-time: 3", "x-envoy-attempt-count: 2", "x-envoy-overloaded: true", "x-envoy-decorator-operation: op"),
		withHeaders("headers of verbatim", "x-verbatim-clock-ms: 1", "x-verbatim-seed: 2"),
		withHeaders("ignored headers between others", "x-a: 1", "date: today", "x-b: 2", "x-request-id: 7", "x-c: 3"),
		withHeaders("an ignored header twice", "x-request-id: 7", "x-a: 1", "X-Request-Id: 8"),
		withHeaders("server and via", "server: pipeline/1", "via: 1.1 x", "alt-svc: h3=\":443\""),
		whole("lines ended by LF alone in the head", "HTTP/1.1 200 OK\nx-a: 1\ncontent-length: 2\n\nok"),
		whole("no header but the length", okLine+"content-length: 2\r\n\r\nok"),
		brokenHeaders("a line without a colon", "nocolon"),
		brokenHeaders("a line without a name", ": 1"),
		brokenHeaders("a pseudo header", ":status: 500"),
		brokenHeaders("white space before the colon", "x-a : 1"),
		brokenHeaders("a name with a space", "x a: 1"),
		brokenHeaders("a name with a bracket", "x(a: 1"),
		brokenHeaders("a name with an octet above 127", "x-\xc3\xa9: 1"),
		brokenHeaders("a name with a NUL", "x-\x00: 1"),
		brokenHeaders("a value with a NUL", "x-nul: a\x00b"),
		brokenHeaders("a value with a control character", "x-ctl: a\x01b"),
		brokenHeaders("a value with a vertical tab", "x-vt: a\vb"),
		brokenHeaders("a value with DEL", "x-del: a\x7fb"),
		brokenHeaders("a first line that begins with white space", " x-a: 1"),
	}
}

// whitespace are values that lose or keep some.
func whitespace() []Response {
	return []Response{
		withHeaders("values without anything", "x-a:", "x-b: ", "x-c: \t "),
		withHeaders("values in white space", "x-a:1", "x-b:  1  ", "x-c:\t1\t", "x-d: 1 2  3 "),
		withHeaders("a folded value", "x-fold: a", " b", "\tc"),
		withHeaders("a value folded at its start", "x-fold:", " b"),
		withHeaders("a value folded at its end", "x-fold: a", " "),
		withHeaders("a value folded with white space around", "x-fold: a \t", "  \t b"),
		whole("a CR within a value", okLine+"x-cr: a\rb\r\ncontent-length: 2\r\n\r\nok"),
		whole("a CR at the end of a value", okLine+"x-cr: a\r\r\ncontent-length: 2\r\n\r\nok"),
		whole("a CR before white space", okLine+"x-cr: a\r b\r\ncontent-length: 2\r\n\r\nok"),
	}
}

// duplicates are names that stand more than once.
func duplicates() []Response {
	list := []Response{
		withHeaders("set-cookie three times", "set-cookie: a=1", "x-a: 1", "Set-Cookie: b=2", "SET-COOKIE: a=1"),
		withHeaders("an unknown name twice", "x-a: 1", "x-b: 2", "x-a: 3"),
		withHeaders("the same line twice", "x-a: 1", "x-a: 1"),
		withHeaders("a joined name, first value empty", "vary:", "vary: b"),
		withHeaders("a joined name, second value empty", "vary: a", "vary:", "vary: c"),
		withHeaders("a joined name, all values empty", "vary:", "vary:"),
		withHeaders("a joined name with commas", "cache-control: a, b", "x-a: 1", "cache-control: c"),
		withHeaders("a joined name, folded", "vary: a", " b", "vary: c"),
	}
	for _, name := range []string{
		"access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods",
		"access-control-allow-origin", "access-control-expose-headers", "access-control-max-age", "age",
		"cache-control", "content-encoding", "content-type", "date", "etag", "expires", "grpc-message",
		"grpc-status", "last-modified", "location", "proxy-status", "server", "vary", "via", "x-request-id",
		"x-envoy-attempt-count", "x-envoy-upstream-service-time",
		"accept-ranges", "allow", "content-language", "content-location", "link", "pragma", "retry-after",
		"strict-transport-security", "trailer", "warning", "www-authenticate", "x-forwarded-for", "traceparent",
	} {
		list = append(list, withHeaders(fmt.Sprintf("%s twice", name), name+": 1", "x-between: 0", name+": 2"))
	}
	return list
}

// hopByHop are fields that are meant for one connection.
func hopByHop() []Response {
	return []Response{
		withHeaders("all hop-by-hop fields", "keep-alive: timeout=5", "proxy-connection: a", "te: trailers", "upgrade: b", "x-a: 1"),
		withHeaders("connection names a field", "x-foo: 1", "connection: x-foo", "x-bar: 2"),
		withHeaders("connection names a field in capitals", "X-Foo: 1", "connection: KEEP-ALIVE , X-FOO", "x-bar: 2"),
		withHeaders("connection twice", "connection: x-foo", "x-foo: 1", "connection: x-bar", "x-bar: 2", "x-baz: 3"),
		withHeaders("connection with empty elements", "connection: , ,x-foo,, ", "x-foo: 1", "x-bar: 2"),
		withHeaders("connection without a value", "connection:", "x-bar: 2"),
		withHeaders("connection names what is absent", "connection: x-foo", "x-bar: 2"),
		withHeaders("connection names an ignored header", "connection: date", "date: today", "x-bar: 2"),
		withHeaders("connection names content-type", "connection: content-type", "content-type: text/plain"),
		withHeaders("upgrade offered", "connection: upgrade", "upgrade: h2c", "x-bar: 2"),
		closed("connection close and a length", okLine+"connection: close\r\ncontent-length: 2\r\n\r\nok"),
		closed("connection close, chunked", okLine+"Connection: Close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
	}
}

// ordinary are responses as usual frameworks write them, and large ones.
func ordinary() []Response {
	long := strings.Repeat("0123456789abcdef", 12_000)
	return []Response{
		whole("as Go writes it", okLine+"Content-Type: application/json\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Length: 11\r\n\r\n{\"total\":1}"),
		whole("as nginx writes it", okLine+"Server: nginx\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\nVary: Accept-Encoding\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
		closed("as Python's http.server writes it", "HTTP/1.0 200 OK\r\nServer: BaseHTTP/0.6 Python/3.11\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-type: text/plain\r\n\r\nhello"),
		whole("as Node writes it", okLine+"X-Powered-By: Express\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 5\r\nETag: W/\"5\"\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nhello"),
		whole("a redirect", "HTTP/1.1 302 Found\r\nLocation: /elsewhere?a=%20\r\nContent-Length: 0\r\n\r\n"),
		whole("a body of every octet", okLine+"content-length: 256\r\n\r\n"+everyOctet()),
		whole("a large body with a length", fmt.Sprintf("%scontent-length: %d\r\n\r\n%s", okLine, len(long), long)),
		chunked("a large chunk", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(long), long)),
		closed("a large body ended by close", okLine+"\r\n"+long),
		whole("ninety headers", okLine+manyHeaders(90)+"content-length: 2\r\n\r\nok"),
		whole("a body that looks like a response", okLine+"content-length: 19\r\n\r\nHTTP/1.1 500 No\r\n\r\n"),
	}
}

func everyOctet() string {
	var b strings.Builder
	for c := range 256 {
		b.WriteByte(byte(c))
	}
	return b.String()
}

func manyHeaders(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "x-h-%d: %d\r\n", i%7, i)
	}
	return b.String()
}

package e2e

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// binCase is a request to go-httpbin.
type binCase struct {
	method, path string
	headers      []string
	body         string
	chunks       int // pieces of the body, which then has no length; 0: it has one, if there is a body
	trailers     []string
	awaits       bool // the body is sent when it is asked for
	// moves matches what is another in each answer, in a head or a body, by the nature of the endpoint.
	moves string
}

func (c binCase) String() string { return fmt.Sprintf("%s %.60s %.80q", c.method, c.path, c.headers) }

func binCases() (list []binCase) {
	list = append(list, binStatuses()...)
	list = append(list, binPages()...)
	list = append(list, binHeaders()...)
	list = append(list, binStreams()...)
	list = append(list, binUploads()...)
	return append(list, binMoving()...)
}

func get(path string, headers ...string) binCase {
	return binCase{method: "GET", path: path, headers: headers}
}

func binStatuses() (list []binCase) {
	for _, code := range []int{
		103, 200, 201, 202, 203, 204, 205, 206, 207, 226, 300, 301, 302, 303, 304, 305, 307, 308, 400, 401, 402, 403, 404, 405, 406,
		407, 408, 409, 410, 413, 416, 418, 421, 422, 425, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 511, 599,
	} {
		list = append(list, get(fmt.Sprintf("/status/%d", code)))
	}
	for _, code := range []int{200, 204, 304, 418, 503} {
		list = append(list, binCase{method: "POST", path: fmt.Sprintf("/status/%d", code)},
			binCase{method: "HEAD", path: fmt.Sprintf("/status/%d", code)})
	}
	return append(list, get("/status/99"), get("/status/teapot"), get("/unstable?seed=1"), get("/unstable?seed=2&failure_rate=1"))
}

func binPages() (list []binCase) {
	for _, path := range []string{
		"/", "/get", "/html", "/json", "/xml", "/robots.txt", "/deny", "/forms/post", "/encoding/utf8", "/image/png", "/image/svg",
		"/image/webp", "/image/none", "/hostname", "/version", "/env", "/ip", "/ip?format=text", "/user-agent", "/brotli", "/gzip",
		"/deflate", "/nothing", "/websocket/echo", "/redirect/3", "/redirect/2?absolute=true", "/relative-redirect/1",
		"/absolute-redirect/2", "/redirect-to?url=http%3A%2F%2Fx.example%2F%3Fa%3D%2562&status_code=307", "/redirect-to", "/links/5",
		"/links/5/2", "/base64/aGVsbG8sIHfDtnJsZA==", "/base64/encode/a%2Fb", "/base64/decode/%21", "/base64/PGI-?content-type=text/html",
		"/bytes/0", "/bytes/1024?seed=7", "/bytes/100000?seed=8", "/bytes/-1", "/range/100", "/cache/60", "/basic-auth/u/p",
		"/hidden-basic-auth/u/p", "/bearer", "/digest-auth/none/u/p", "/delay/0.01", "/dump/request",
		// Odd paths. The invalid escape net/http refuses by itself, and closes.
		"/anything/a%2Fb%20c", "/anything/%C3%A4%FF", "/anything//a/../b/./c", "/anything/%zz", "/anything/a;b=c,d:@!$&'()*+~", "/anything?",
		"/anything?a=1&a=2&b=%26%3D&c=%zz", "/anything?x=/../?&y=%2e%2e%2f", "/anything/" + strings.Repeat("p%2F", 4000),
	} {
		list = append(list, get(path))
	}
	for _, path := range []string{"/head", "/get", "/gzip", "/bytes/100?seed=9", "/stream/3", "/range/26", "/redirect/1", "/html", "/nothing"} {
		list = append(list, binCase{method: "HEAD", path: path})
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "REPORT"} {
		list = append(list, binCase{method: method, path: "/anything/m"}, binCase{method: method, path: "/get"})
	}
	return list
}

func binHeaders() []binCase {
	basic := "authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("u:p"))
	return []binCase{
		get("/headers", "x-a: 1", "x-b: 2", "x-a: 3", "accept: a/b", "accept: c/d", "x-empty: "),
		get("/headers", "x-octets: \xff\xfe\x80", "x-tab: a\tb", "user-agent: odd/1.0 (+x; \"y\")", "referer: http://r.example/%zz"),
		get("/headers", "x-big: "+strings.Repeat("v", 60<<10)),
		get("/headers", "x-half: "+strings.Repeat("v", 30<<10), "x-rest: "+strings.Repeat("w", 29<<10)),
		get("/response-headers?x-big=" + strings.Repeat("v", 60<<10)),
		get("/response-headers?Set-Cookie=a%3D1%3B+Path%3D%2F&Set-Cookie=b%3D2&Set-Cookie=a%3D3&x-a=1&x-a=2"),
		get("/response-headers?Content-Type=text%2Fplain%3B+charset%3Dlatin1&x-octets=%FF%80&Server=odd&Via=1.1+x&Warning=199"),
		get("/response-headers?Cache-Control=no-store&ETag=W%2F%22x%22&Vary=a&Vary=b&Link=%3Cx%3E&X-Powered-By=y&Age=3&Expires=0"),
		get("/cookies", "cookie: a=1; b=2", "cookie: c=3"),
		get("/cookies/set?a=1"), get("/cookies/set?k=v&attr[Secure]=true&attr[SameSite]=strict"),
		get("/basic-auth/u/p", basic), get("/hidden-basic-auth/u/p", basic), get("/bearer", "authorization: Bearer t.o.k"),
		get("/gzip", "accept-encoding: gzip"), get("/deflate", "accept-encoding: deflate, br"),
		get("/image", "accept: image/webp"), get("/image", "accept: text/none"), get("/image", "accept: image/svg+xml"),
		get("/cache", "if-none-match: x"), get("/cache", "if-modified-since: Thu, 01 Jan 1970 00:00:00 GMT"),
		get("/etag/abc", `if-none-match: "abc"`), get("/etag/abc", `if-none-match: W/"x", "abc"`),
		get("/range/100", "range: bytes=0-9"), get("/range/100", "range: bytes=90-"), get("/range/100", "range: bytes=-5"),
		get("/range/100", "range: bytes=200-300"), get("/range/100", "range: nonsense"), get("/range/100", "range: bytes=0-9", `if-range: range100`),
		{method: "OPTIONS", path: "/anything", headers: []string{
			"origin: http://o.example", "access-control-request-method: PUT", "access-control-request-headers: x-a, x-b",
		}},
		get("/get", "origin: http://o.example", "x-forwarded-for: 192.0.2.7, 10.0.0.1", "x-forwarded-host: f.example", "via: 1.0 v", "forwarded: for=x"),
		get("/get", "x-request-id: mine", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x-envoy-other: 1"),
	}
}

func binStreams() []binCase {
	return []binCase{
		get("/stream/1"), get("/stream/20"), get("/jsonl?count=5"), get("/jsonl?count=3&duration=30ms"),
		get("/stream-bytes/10000?seed=1&chunk_size=1000"), get("/stream-bytes/300000?seed=2"), get("/stream-bytes/0?seed=3"),
		get("/drip?numbytes=5&duration=40ms&delay=10ms"), get("/drip?numbytes=1&duration=0&delay=0&code=500"),
		get("/drip?numbytes=3&duration=0&delay=0&code=204"), get("/drip?numbytes=200000&duration=0&delay=0"),
		get("/trailers?x-end=1"), get("/trailers"), get("/trailers?x-end=a&x-end=b"), get("/trailers?content-length=1"),
		{method: "POST", path: "/trailers?x-end=%20spaced%20", body: "b", chunks: 1},
	}
}

func binUploads() []binCase {
	long := strings.Repeat("0123456789abcde\n", 1<<16) // 1 MiB
	form := "content-type: application/x-www-form-urlencoded"
	parts := "--bb\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1\r\n--bb\r\n" +
		"content-disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\ntext\xff\r\n--bb--\r\n"
	return []binCase{
		{method: "POST", path: "/post"}, {method: "POST", path: "/post", body: "plain", headers: []string{"content-type: text/plain"}},
		{method: "POST", path: "/post", body: "\x00\xff\x80", headers: []string{"content-type: application/octet-stream"}},
		{method: "POST", path: "/post", body: "a=1&a=2&b=%C3%A4+c", headers: []string{form}},
		{method: "POST", path: "/post", body: "a=%zz", headers: []string{form}},
		{method: "POST", path: "/post", body: `{"a":[1,2.50,null],"b":"ä"}`, headers: []string{"content-type: application/json"}},
		{method: "POST", path: "/post", body: `{"a":`, headers: []string{"content-type: application/json"}},
		{method: "POST", path: "/post", body: parts, headers: []string{"content-type: multipart/form-data; boundary=bb"}},
		{method: "POST", path: "/post", body: parts[:40], headers: []string{"content-type: multipart/form-data; boundary=bb"}},
		{method: "PUT", path: "/put", body: "chunked", chunks: 3}, {method: "PATCH", path: "/patch", body: "c", chunks: 1},
		{method: "DELETE", path: "/delete", body: "with a body"}, {method: "GET", path: "/anything", body: "a GET with a body"},
		{method: "POST", path: "/upload", body: long}, {method: "PUT", path: "/upload", body: long, chunks: 16},
		{method: "POST", path: "/anything", body: long[:200_000]}, {method: "POST", path: "/dump/request", body: "dumped", chunks: 2},
		{method: "POST", path: "/post", body: "trailed", chunks: 2, trailers: []string{"x-t: 1", "x-u: 2"}},
		{method: "POST", path: "/upload", body: long, chunks: 5, trailers: []string{"x-digest: 1"}},
		{method: "POST", path: "/post", body: "awaited", awaits: true}, {method: "PUT", path: "/upload", body: long, awaits: true},
		{method: "POST", path: "/post", body: "awaited in chunks", chunks: 4, awaits: true},
		{method: "POST", path: "/gzip"},
		{method: "POST", path: "/post", body: "zipped", headers: []string{"content-encoding: gzip", "content-type: text/plain"}},
	}
}

// binOctets stands in moves for all octets of a body.
const binOctets = "octets"

// binMoving are answers with something random, of today, or in the order of a map.
func binMoving() []binCase {
	moving := func(path, moves string, headers ...string) binCase {
		return binCase{method: "GET", path: path, headers: headers, moves: moves}
	}
	return []binCase{
		moving("/uuid", `"uuid": ".{36}"`), moving("/bytes/64", binOctets), moving("/stream-bytes/3000", binOctets),
		moving("/cache", `(last-modified|etag): .*`), moving("/etag/abc", `last-modified: .*`), moving("/etag/abc", `last-modified: .*`, `if-match: "abc"`),
		moving("/etag/abc", `last-modified: .*`, `if-match: "other"`),
		moving("/digest-auth/auth/u/p", `(nonce|opaque)=\w+`), moving("/digest-auth/auth/u/p/SHA-256", `(nonce|opaque)=\w+`),
		moving("/cookies/set?a=1&b=2&c=3", `set-cookie: [abc]=\d`), moving("/cookies/delete?a", `Expires=[^;]*`),
		moving("/sse?count=3&duration=20ms", `"timestamp":\d+|server-timing: .*`), moving("/trailers?x-a=1&x-b=2", `trailer: .*`),
		moving("/range/100", `boundary=\w+|--\w{30,}`, "range: bytes=0-9,20-29"), moving("/status/200:1,500:1", `^(HTTP/1.1 |:status: ).*`),
	}
}

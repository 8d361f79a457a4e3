// Package oddities is a table of odd but real HTTP/1.1 messages: what a
// pipeline may answer and what a client may ask. Tests send them through a real
// Envoy and through the replay clients, and compare what both make of them.
//
// What it says about each message was found with Envoy 1.40.0. It is data and a
// way to list it; it opens no connection.
package oddities

import "strings"

// Response is what a pipeline writes, byte for byte, to answer one request.
type Response struct {
	// Name is unique in the table.
	Name string
	Raw  []byte
	// RequestMethod is the method of the request that it answers.
	RequestMethod string
	// CloseAfter says that the server closes the connection after Raw: because
	// the message needs it for its end, or because what follows is undefined.
	CloseAfter bool
	// Whole says that Envoy passes the message on as a complete response. Envoy
	// answers 502 for one that is not, before or after its headers have passed.
	Whole bool
}

// Request is what a client writes, byte for byte.
type Request struct {
	// Name is unique in the table.
	Name string
	Raw  []byte
	// Passed says that Envoy lets the request through to the pipeline, with
	// trailers enabled and no normalisation of the path. It answers others itself.
	Passed bool
}

// Responses lists all odd responses. The caller owns the list.
func Responses() []Response {
	var all []Response
	for _, group := range [][]Response{
		statusLines(), informational(), bodiless(), framing(), chunks(), trailers(),
		headerLines(), whitespace(), duplicates(), hopByHop(), ordinary(),
	} {
		all = append(all, group...)
	}
	return all
}

// Requests lists all odd requests. The caller owns the list.
func Requests() []Request {
	var all []Request
	for _, group := range [][]Request{targets(), methods(), requestBodies(), requestHeaders(), refusedRequests()} {
		all = append(all, group...)
	}
	return all
}

const okLine = "HTTP/1.1 200 OK\r\n"

// whole is a GET's response that ends by itself on a connection kept open.
func whole(name, raw string) Response {
	return Response{Name: name, Raw: []byte(raw), RequestMethod: "GET", Whole: true}
}

// closed is a GET's response after which the server closes.
func closed(name, raw string) Response {
	r := whole(name, raw)
	r.CloseAfter = true
	return r
}

// broken is a GET's response that Envoy does not pass on whole.
func broken(name, raw string) Response {
	r := closed(name, raw)
	r.Whole = false
	return r
}

// withHeaders is a whole response with these header lines and a body of 2 octets.
func withHeaders(name string, lines ...string) Response {
	return whole(name, okLine+headerBlock(lines...)+"content-length: 2\r\n\r\nok")
}

// brokenHeaders is like withHeaders, of lines that Envoy refuses.
func brokenHeaders(name string, lines ...string) Response {
	return broken(name, okLine+headerBlock(lines...)+"content-length: 2\r\n\r\nok")
}

// chunked is a whole response whose body is written as given.
func chunked(name, body string) Response {
	return whole(name, okLine+"transfer-encoding: chunked\r\n\r\n"+body)
}

// brokenChunks is like chunked, of a body that Envoy refuses.
func brokenChunks(name, body string) Response {
	return broken(name, okLine+"transfer-encoding: chunked\r\n\r\n"+body)
}

func headerBlock(lines ...string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l)
		b.WriteString("\r\n")
	}
	return b.String()
}

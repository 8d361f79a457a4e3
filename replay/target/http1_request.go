package target

import (
	"net"
	"strconv"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// http1Request is r as Envoy's HTTP/1 codec writes it. It shares r's body.
func http1Request(r *Request) net.Buffers {
	head := make([]byte, 0, 1024)
	head = append(head, r.method()...)
	head = append(head, ' ')
	head = append(head, r.header(":path")...)
	head = append(head, " HTTP/1.1\r\n"...)
	hasLength := false
	for _, h := range r.Headers {
		name := string(h.GetName())
		switch {
		case name == ":authority":
			head = appendLine(head, "host", h.GetValue())
		case name[0] == ':':
		default:
			hasLength = hasLength || name == "content-length"
			head = appendLine(head, name, h.GetValue())
		}
	}
	switch {
	case hasLength:
	case r.headersOnly():
		if !bodiless[r.method()] {
			head = append(head, "content-length: 0\r\n"...)
		}
	default:
		head = append(head, "transfer-encoding: chunked\r\n"...)
		return http1Chunked(append(head, "\r\n"...), r.Body, r.Trailers)
	}
	return net.Buffers{append(head, "\r\n"...), r.Body}
}

// bodiless are the methods to which Envoy adds no "content-length: 0".
var bodiless = map[string]bool{"GET": true, "HEAD": true, "DELETE": true, "TRACE": true, "CONNECT": true}

// http1Chunked is a head with a body in one chunk.
func http1Chunked(head, body []byte, trailers []*logv1.Header) net.Buffers {
	var tail []byte
	if len(body) > 0 {
		head = strconv.AppendInt(head, int64(len(body)), 16)
		head = append(head, "\r\n"...)
		tail = append(tail, "\r\n"...)
	}
	tail = append(tail, "0\r\n"...)
	for _, h := range trailers {
		tail = appendLine(tail, string(h.GetName()), h.GetValue())
	}
	return net.Buffers{head, body, append(tail, "\r\n"...)}
}

func appendLine(b []byte, name string, value []byte) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

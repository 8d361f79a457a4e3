package target

import (
	"net"
	"strconv"
)

// http1RequestHead is r's head as Envoy's HTTP/1 codec writes it. chunks says
// that the body is written in chunks. via: as a client writes it for which Envoy
// then writes that.
func http1RequestHead(r *Request, via bool) (head []byte, chunks bool) {
	head = make([]byte, 0, 1024)
	head = append(head, r.method()...)
	head = append(head, ' ')
	if via && r.absolute() {
		head = append(head, r.header(":scheme")...)
		head = append(head, "://"...)
		head = append(head, r.header(":authority")...)
	}
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
		if !via && !bodiless[r.method()] {
			head = append(head, "content-length: 0\r\n"...)
		}
	default:
		chunks = true
		head = append(head, "transfer-encoding: chunked\r\n"...)
	}
	return append(head, "\r\n"...), chunks
}

// bodiless are the methods to which Envoy adds no "content-length: 0".
var bodiless = map[string]bool{"GET": true, "HEAD": true, "DELETE": true, "TRACE": true, "CONNECT": true}

// http1Chunk is a part as one chunk, behind what is not written yet.
func http1Chunk(head []byte, part Part) net.Buffers {
	var tail []byte
	if len(part.Data) > 0 {
		head = strconv.AppendInt(head, int64(len(part.Data)), 16)
		head = append(head, "\r\n"...)
		tail = append(tail, "\r\n"...)
	}
	if part.Last {
		tail = append(tail, "0\r\n"...)
		for _, h := range part.Trailers {
			tail = appendLine(tail, string(h.GetName()), h.GetValue())
		}
		tail = append(tail, "\r\n"...)
	}
	return net.Buffers{head, part.Data, tail}
}

func appendLine(b []byte, name string, value []byte) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

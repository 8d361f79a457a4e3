package target

import (
	"strconv"
	"strings"
)

// framing says where an HTTP/1.1 body ends (RFC 9112 6.3).
type framing struct {
	kind   framingKind
	length int64 // of a sized one
}

type framingKind int

const (
	sized framingKind = iota // also where there is no body
	chunked
	untilClose
)

// framing refuses what Envoy refuses: a length that is no number or stands
// twice, a length beside a transfer-encoding, a coding other than chunked, and
// a body announced where none can be.
func (h http1Head) framing(method string) (framing, error) {
	coded, hasLength := h.has("transfer-encoding"), h.has("content-length")
	coding, length := h.joined("transfer-encoding"), h.joined("content-length")
	octets, err := contentLength(length)
	noContent := h.status < 200 || h.status == 204
	switch {
	case hasLength && err != nil:
		return framing{}, err
	case coded && hasLength:
		return framing{}, malformed("it has both a content-length and a transfer-encoding")
	case coded && !strings.EqualFold(coding, "chunked"):
		return framing{}, malformed("its transfer-encoding is %.100q", coding)
	case coded && noContent:
		return framing{}, malformed("it has status %d and a transfer-encoding", h.status)
	case hasLength && noContent && length != "0":
		return framing{}, malformed("it has status %d and the content-length %s", h.status, length)
	case method == "HEAD" || noContent || h.status == 304:
		return framing{kind: sized}, nil
	case coded:
		return framing{kind: chunked}, nil
	case hasLength:
		return framing{kind: sized, length: octets}, nil
	}
	return framing{kind: untilClose}, nil
}

// contentLength allows digits alone, zeros in front included.
func contentLength(value string) (int64, error) {
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil {
		return 0, malformed("its content-length is %.100q", value)
	}
	return int64(n), nil
}

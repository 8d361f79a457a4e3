package target

import (
	"bytes"
	"fmt"
	"time"

	"golang.org/x/net/http/httpguts"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// Request is a request as the log records it.
type Request struct {
	// Headers as Envoy sent them on: in order, duplicates and pseudo headers
	// included.
	Headers []*logv1.Header
	// HasBody tells an empty body from none: it is the negation of the
	// end_of_stream that came with the headers, where no trailers came either.
	HasBody bool
	Body    []byte
	// Trailers in order.
	Trailers []*logv1.Header
	// Parts, if not nil, are sent one by one in place of Body and Trailers. A
	// goroutine of Do asks for them; it has ended when Do returns.
	Parts Parts
	// BreakOff, if not nil, has the client go away once all is sent and it has
	// received so many octets of the answer's body. Parts may end without a last
	// one then. An answer that is whole before that is one.
	BreakOff *uint64
	// Idle bounds the time in which no octet of the answer comes and no part can
	// be sent; 0: the context's deadline alone is a bound.
	Idle time.Duration
	// Protocol is what the recorded client spoke, "HTTP/1.1" or "HTTP/2". It is
	// of interest to a target with Options.Via alone.
	Protocol string
}

// header is the first value of name, nil if there is none.
func (r *Request) header(name string) []byte {
	for _, h := range r.Headers {
		if string(h.GetName()) == name {
			return h.GetValue()
		}
	}
	return nil
}

func (r *Request) method() string { return string(r.header(":method")) }

// headersOnly says that the stream ends with the headers.
func (r *Request) headersOnly() bool {
	return r.Parts == nil && !r.HasBody && len(r.Body) == 0 && len(r.Trailers) == 0
}

// check refuses what would not arrive as one request: a log can be made by
// anyone, and a value with a line break would smuggle in a second one.
func (r *Request) check() error {
	for _, name := range []string{":method", ":path"} {
		v := r.header(name)
		if len(v) == 0 || bytes.ContainsFunc(v, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
			return fmt.Errorf("%w: its %s is empty, or has white space or control characters", ErrUnsendable, name)
		}
	}
	if r.method() == "CONNECT" {
		return fmt.Errorf("%w: CONNECT opens a tunnel, which is no exchange", ErrUnsendable)
	}
	for i, h := range r.Headers {
		if pseudo := len(h.GetName()) > 0 && h.GetName()[0] == ':'; pseudo {
			if i > 0 && r.Headers[i-1].GetName()[0] != ':' {
				return fmt.Errorf("%w: %s stands behind other headers", ErrUnsendable, h.GetName())
			}
			if bytes.ContainsAny(h.GetValue(), "\x00\r\n") {
				return fmt.Errorf("%w: its %s has a line break or a zero", ErrUnsendable, h.GetName())
			}
			continue
		}
		if err := checkField(h); err != nil {
			return err
		}
	}
	for _, h := range r.Trailers {
		if err := checkField(h); err != nil {
			return err
		}
	}
	return nil
}

func checkField(h *logv1.Header) error {
	if !httpguts.ValidHeaderFieldName(string(h.GetName())) {
		return fmt.Errorf("%w: it has a header with the name %q", ErrUnsendable, h.GetName())
	}
	if !isValue(h.GetValue()) {
		return fmt.Errorf("%w: its header %s has a control character in its value", ErrUnsendable, h.GetName())
	}
	return nil
}

// isValue allows what Envoy allows in a value: no control character but the tab.
func isValue(value []byte) bool {
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

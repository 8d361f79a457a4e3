// Package target sends recorded requests to a pipeline as Envoy sent them, and
// reads the answers raw.
//
// It guarantees that the pipeline receives what it received behind Envoy: over
// HTTP/1.1 the same bytes, over HTTP/2 the same header list in order, body and
// trailers. It accepts and refuses the answers that Envoy accepts and refuses.
// One request is under way at a time.
//
// A request in parts (Request.Parts) is sent as the answer comes: each part once so
// many octets of the answer's body were received as stood before it when it was
// recorded, never before. Octets count, not pieces: how an answer is cut is chance.
// A part whose octets don't come is an OrderError, in the time that the context and
// Request.Idle allow. Of a long answer Stream holds as much as it is told to.
//
// It does not guarantee the same TCP segments, HTTP/2 frames or header
// compression, nor the chunks of a body of several that came together: the capture
// may have joined them into one part. It does not speak TLS.
//
// # At most once
//
// A request is sent again, once and on a new connection, only where the
// pipeline cannot have seen it: the kept connection was found closed before a
// byte of the request was written; or, over HTTP/2, the server said that it did
// not process it (REFUSED_STREAM, or a GOAWAY that excludes it, RFC 9113 8.7).
// A server that closes a kept connection without answering may have closed it
// for idleness or may have died of the request. That cannot be told apart, so it
// is ErrReset. The kept connection is examined right before it is used, so that
// a server which closed it earlier is noticed.
//
// # What Envoy does
//
// Found with Envoy 1.40.0, a router with suppress_envoy_headers, and ext_proc in
// body mode BUFFERED as the last filter before it:
//
//   - The list that ext_proc shows is what goes out, in its order, duplicates
//     included; values that Envoy joined stay joined. Headers that ext_proc sets
//     are at its end.
//   - HTTP/1.1: ":authority" becomes "host" in its place, which is the first;
//     ":scheme" is dropped. A request without body that lists no content-length
//     gets "content-length: 0" as its last header, unless its method is GET,
//     HEAD, DELETE, TRACE or CONNECT. A body without a listed content-length
//     gets "transfer-encoding: chunked" as the last header and one chunk of
//     lower-case hexadecimal size, none if it is empty. A listed content-length
//     is written as it was ("0005").
//   - In body mode STREAMED, over HTTP/1.1, each piece that ext_proc was shown is one
//     chunk; a piece without octets is none, and the last is followed by "0". With a
//     content-length the pieces are written as they are. The last part may have
//     octets or none: the bytes differ in nothing but segments.
//   - A client that goes away has its stream cancelled over HTTP/2, and over
//     HTTP/1.1 the connection to the pipeline closed. Here that connection is first
//     closed for writing alone, for up to a second, and a cancelled stream is
//     followed by a PING: so the pipeline reads what was sent before.
//   - An answer that is whole before the request ends it: Envoy sends nothing more.
//   - HTTP/2: the pseudo headers keep the list's order, which depends on what
//     the client spoke: ":authority", ":path", ":method", ":scheme" from
//     HTTP/1.1, ":scheme" before ":path" where the target was absolute.
//   - Trailers of HTTP/1.1 pass only with enable_trailers set on both sides.
//   - From an internal client the router reads and removes x-envoy-retry-on and
//     others after ext_proc saw them; package capture does not record those.
//
// # Through an Envoy
//
// With Options.Via the address is a listener of an Envoy without the capture that is
// otherwise configured like the recording one. Found by sending all
// of tests/oddities and more through both: the pipeline gets the same list, body and
// trailers if each request comes in its client's protocol, without the
// "content-length: 0" that Envoy adds itself, and with an absolute target where
// ":scheme" stands before ":path". x-forwarded-proto, x-request-id and the like are
// in the list already, and such an Envoy lets them stand.
//
// Not the same are chunks: nothing holds a body on its way. Envoy puts the cookie of
// an HTTP/2 request last, so one that stands elsewhere goes over HTTP/1.1 to a
// pipeline of HTTP/1.1, and is moved on its way to one of HTTP/2. What Envoy answers
// itself can't be told from an answer of the pipeline. An Envoy that appends to
// x-forwarded-for, makes request ids anew or edits headers changes what is sent.
//
// Two things that Envoy does with answers are not done here, because no sane
// pipeline shows the difference: it takes an HTTP/1.1 status above 65535 modulo
// 65536, and it joins "cookie" headers of an HTTP/2 answer.
package target

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"

	"verbatim/sidecar/output"
)

// What Do can fail with; test with errors.Is. A context that was cancelled
// gives its own error.
var (
	// ErrUnreachable: no connection, or the server let no request through. The
	// pipeline has not seen the request.
	ErrUnreachable = errors.New("target unreachable")
	// ErrReset: the connection ended before the answer was whole. The pipeline
	// may have seen the request.
	ErrReset = errors.New("connection ended before the answer was whole")
	// ErrTimeout: the context's deadline passed. The pipeline may have seen the
	// request.
	ErrTimeout = errors.New("no whole answer in time")
	// ErrMalformed: the answer is not one that Envoy would pass on, or it is
	// longer than the limit.
	ErrMalformed = errors.New("answer refused")
	// ErrUnsendable: the recorded request is not one that Envoy sends. Nothing
	// was sent, but for parts before one with such trailers.
	ErrUnsendable = errors.New("recorded request cannot be sent")
	// ErrOrder: a part of the request waited for octets of the answer that did not
	// come in time. It is always an *OrderError, and ErrTimeout too.
	ErrOrder = errors.New("the answer did not come as far as it had before the request went on")
	// ErrBrokenOff: the client went away, as Request.BreakOff asks.
	ErrBrokenOff = errors.New("broken off, as the client did")
	// ErrParts: whoever gives the request's parts failed. The pipeline has seen
	// those before.
	ErrParts = errors.New("parts of the request can't be had")
)

// errNotProcessed says that the pipeline has certainly not seen the request.
var errNotProcessed = errors.New("request was not processed")

// Target is one pipeline. It keeps a connection between requests. It is not
// safe for concurrent use.
type Target struct {
	address  string
	protocol Protocol
	maxBody  int64
	via      bool
	pipeline Protocol // behind the Envoy, as the log names it
	dialer   net.Dialer
	kept     conn     // nil: none
	speaks   Protocol // the kept one
}

// conn is a connection of one of the two protocols.
type conn interface {
	// alive looks whether the connection can carry a request now.
	alive(ctx context.Context) bool
	// exchange sends r and reads the whole answer into g. keep says that another
	// request may follow.
	exchange(ctx context.Context, r *Request, g *gathered) (keep bool, err error)
	close()
}

// Do sends r and returns the answer as it came, for output.Canonical. The
// message shares no memory with r. Timeouts are the context's deadline and r.Idle.
func (t *Target) Do(ctx context.Context, r *Request) (output.Message, error) {
	g, err := t.do(ctx, r, func() *gathered { return &gathered{hold: t.maxBody, most: t.maxBody} })
	if err != nil {
		return output.Message{}, err
	}
	return g.message, nil
}

// Stream is Do for an answer that may be long: it holds the first hold octets of
// the body and refuses one of more than most. With an error the answer is what had
// come until then.
func (t *Target) Stream(ctx context.Context, r *Request, hold, most int64) (Answer, error) {
	g, err := t.do(ctx, r, func() *gathered { return &gathered{hold: hold, most: most, digest: sha256.New()} })
	if g == nil {
		return Answer{}, err
	}
	return g.answer(), err
}

// do sends r, a second time where the server did not process it, into a new answer
// each time. The answer is nil if none was waited for.
func (t *Target) do(ctx context.Context, r *Request, answer func() *gathered) (*gathered, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	var err error
	for range 2 {
		var c conn
		if c, err = t.connection(ctx, t.speak(r)); err != nil {
			return nil, err
		}
		g := answer()
		var keep bool
		if keep, err = c.exchange(ctx, r, g); !keep {
			t.Close()
		}
		if !errors.Is(err, errNotProcessed) {
			return g, err
		}
	}
	return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, t.address, err)
}

// connection is the kept one, or a new one where it has gone or speaks otherwise.
func (t *Target) connection(ctx context.Context, p Protocol) (conn, error) {
	if t.kept != nil {
		if t.speaks == p && t.kept.alive(ctx) {
			return t.kept, nil
		}
		t.Close()
	}
	c, err := t.dialer.DialContext(ctx, "tcp", t.address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	tcp := c.(*net.TCPConn)
	t.speaks = p
	if p == HTTP2 {
		t.kept = newHTTP2Conn(tcp)
	} else {
		t.kept = newHTTP1Conn(tcp, t.via)
	}
	return t.kept, nil
}

// Close closes the kept connection. The target can be used again.
func (t *Target) Close() {
	if t.kept != nil {
		t.kept.close()
		t.kept = nil
	}
}

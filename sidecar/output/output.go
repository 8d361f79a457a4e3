// Package output gives responses their canonical form: the bytes of
// logv1.Output, which are what the log hashes and what a replay must give again.
//
// It guarantees that one response of a pipeline has the same bytes whether
// Envoy showed it to the capture or a replay client read it from the wire, and
// that those bytes never change for a given Message and IgnorePolicy. It knows
// neither Envoy's API nor a network.
//
// What Canonical does was checked against Envoy 1.40.0 with ext_proc in body
// mode BUFFERED, over HTTP/1.1 and HTTP/2 to the pipeline:
//
//   - Names are in lower case and in the order of the wire; white space around
//     values is gone (Envoy keeps it on HTTP/2).
//   - Hop-by-hop fields are left out, see hopByHop. Envoy drops "keep-alive"
//     before ext_proc sees it and shows the others. What a "connection" header
//     names besides them stays: Envoy passes it on to the client.
//   - Some names are joined when they repeat, see joinedHeaders.
//   - "content-length: 0" of a 204 is left out: Envoy's codecs drop it.
//   - Trailers keep their order. Envoy drops those of HTTP/1.1 unless
//     enable_trailers is set in the cluster's HTTP/1 options: with it unset a
//     replay of a pipeline that sends trailers gives another output.
//   - 1xx never reach a Message; 101 as a final answer can.
//
// What an ignore policy names is left out. Headers are left out whole. A value in a JSON
// body becomes Placeholder, its name stays. A field of a protobuf message goes with its
// tag, and the lengths of the messages and of the gRPC frame around it become those of
// what is left: what is left are the octets of a message without the field. So two
// bodies are the same output if and only if they differ in ignored parts alone, and
// nothing is printed again. Where a body was looked into, "content-length" is left out,
// too. What was taken out stands beside the output, and Restore puts it back.
//
// A body is compared as it is when it is compressed (content-encoding, or a gRPC frame's
// flag), when its content-type is another, when it is not what that says, when it has
// more than 65,536 ignored parts, and when it was recorded as a stream's digest.
//
// A body without octets counts as none: an empty DATA frame or an empty chunked
// body differs from no body only in framing, which a replay need not repeat.
// What a header says of it ("content-length: 0") stays.
package output

import (
	"crypto/sha256"
	"errors"
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// Message is a complete response as it came over the wire or as Envoy shows it.
type Message struct {
	// Path of the request that it answers, as in ":path". It is no output; rules for
	// protobuf go by it.
	Path string
	// Status of the final response; SplitStatus takes it from Envoy's list.
	Status int
	// Headers without pseudo headers, in order, duplicates included.
	Headers []*logv1.Header
	// Body is the whole body, free of any transfer coding; empty with a Stream.
	Body []byte
	// Stream is set for a body that is known by length and digest alone.
	Stream *Stream
	// Trailers in order.
	Trailers []*logv1.Header
}

// RequestPath is the ":path" of a request's header list, for Message.Path; empty if it
// has none.
func RequestPath(headers []*logv1.Header) string {
	for _, h := range headers {
		if string(h.GetName()) == ":path" {
			return string(h.GetValue())
		}
	}
	return ""
}

// Canonicalized is a response in canonical form.
type Canonicalized struct {
	// Output is the serialized logv1.Output; nothing else refers to it.
	Output []byte
	// Hash is SHA-256(Output).
	Hash [sha256.Size]byte
	// Ignored is what the policy left out, headers before trailers, each in
	// list order. Its values may share memory with the Message.
	Ignored []*logv1.IgnoredHeader
	// Spans are what the policy replaced in the body, in its order. They share memory
	// with the Message.
	Spans []*logv1.IgnoredSpan
}

// Errors of a Message that is no final response.
var (
	ErrStatus = errors.New("not the status of a final response")
	ErrName   = errors.New("not a header name")
)

// Canonical gives m its canonical form under the policy p. It neither changes m
// nor keeps its body.
func Canonical(m Message, p IgnorePolicy) (Canonicalized, error) {
	if m.Status < 200 && m.Status != 101 || int64(m.Status) > maxStatus {
		return Canonicalized{}, fmt.Errorf("canonicalize response: %w: %d", ErrStatus, m.Status)
	}
	headers, err := canonicalList(m.Headers, &joinedHeaders)
	if err != nil {
		return Canonicalized{}, fmt.Errorf("canonicalize headers: %w", err)
	}
	trailers, err := canonicalList(m.Trailers, &joinedTrailers)
	if err != nil {
		return Canonicalized{}, fmt.Errorf("canonicalize trailers: %w", err)
	}
	if m.Status == 204 {
		headers = without(headers, "content-length")
	}
	f := form{status: uint32(m.Status), headers: headers, hasBody: len(m.Body) > 0, body: m.Body, trailers: trailers}
	if m.Stream != nil {
		f.hasBody, f.body = m.Stream.Octets > 0, nil
		f.streamOctets, f.streamSHA256 = m.Stream.Octets, m.Stream.SHA256[:]
	}
	return p.apply(m.Path, f), nil
}

// apply leaves out what p ignores of the answer to a request for path.
func (p IgnorePolicy) apply(path string, f form) (c Canonicalized) {
	ofHeaders := p
	if p.bodies != nil && len(f.streamSHA256) == 0 {
		if found, looked := p.bodies.edits(path, f.headers, f.body); looked {
			f.body, c.Spans = found.apply(f.body)
			f.hasBody = len(f.body) > 0
			ofHeaders = p.ignoringToo("content-length")
		}
	}
	f.headers, c.Ignored = ofHeaders.split(f.headers, false, c.Ignored)
	f.trailers, c.Ignored = p.split(f.trailers, true, c.Ignored)
	c.Output = encode(f)
	c.Hash = sha256.Sum256(c.Output)
	return c
}

// maxStatus is the largest that Envoy passes on.
const maxStatus = 1<<16 - 1

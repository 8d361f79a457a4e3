package output

import (
	"errors"
	"mime"
	"strings"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// bodyRules are the rules of a policy that look into bodies.
type bodyRules struct {
	pointers *pointerNode           // nil: no JSON body is looked into
	messages map[string]messageNode // of protobuf bodies, by the request's path
}

// edit replaces octets of a body.
type edit struct {
	from, to int
	with     []byte
}

// edits do not overlap and are in the order of the body.
type edits []edit

// maxEdits bounds what one body can make of memory and of its entry.
const maxEdits = 1 << 16

var errEdits = errors.New("too many ignored values in one body")

func (e *edits) add(one edit) error {
	if len(*e) == maxEdits {
		return errEdits
	}
	*e = append(*e, one)
	return nil
}

// edits finds what the rules ignore in a body. looked: the body is of a kind that they
// look into and is what its headers say. No octets are a protobuf message, too, and one
// that may have held ignored fields alone.
func (b *bodyRules) edits(path string, headers []field, body []byte) (e edits, looked bool) {
	kind, plain := bodyKind(headers)
	if !plain {
		return nil, false
	}
	switch kind {
	case jsonBody:
		if b.pointers != nil {
			return jsonEdits(body, b.pointers)
		}
	case protobufBody, grpcBody:
		if m := b.messages[withoutQuery(path)]; m != nil {
			return m.edits(body, kind == grpcBody)
		}
	}
	return nil, false
}

func withoutQuery(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// kind is how a body is written, as far as rules look into it.
type kind int

const (
	otherBody kind = iota
	jsonBody
	protobufBody
	grpcBody // protobuf messages in gRPC's frames
)

// bodyKind goes by content-type. plain: no content-encoding was applied.
func bodyKind(headers []field) (k kind, plain bool) {
	plain = true
	for _, f := range headers {
		switch string(f.name) {
		case "content-type":
			k = kindOf(string(f.value))
		case "content-encoding":
			plain = plain && strings.EqualFold(string(f.value), "identity")
		}
	}
	return k, plain
}

func kindOf(contentType string) kind {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return otherBody
	}
	switch media {
	case "application/grpc", "application/grpc+proto":
		return grpcBody
	case "application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf":
		return protobufBody
	case "application/json":
		return jsonBody
	}
	if strings.HasSuffix(media, "+json") {
		return jsonBody
	}
	return otherBody
}

// apply makes the edits in a copy of body and returns what they took out.
func (e edits) apply(body []byte) ([]byte, []*logv1.IgnoredSpan) {
	if len(e) == 0 {
		return body, nil
	}
	size := len(body)
	for _, one := range e {
		size += len(one.with) - (one.to - one.from)
	}
	out, spans, at := make([]byte, 0, size), make([]*logv1.IgnoredSpan, len(e)), 0
	for i, one := range e {
		out = append(out, body[at:one.from]...)
		spans[i] = &logv1.IgnoredSpan{
			Position: uint64(len(out)), Original: body[one.from:one.to], Octets: uint32(len(one.with)),
		}
		out = append(out, one.with...)
		at = one.to
	}
	return append(out, body[at:]...), spans
}

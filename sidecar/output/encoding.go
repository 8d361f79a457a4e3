package output

import (
	"bytes"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// Field numbers of logv1.Output and logv1.Header.
const (
	statusField, headersField, hasBodyField, bodyField, trailersField = 1, 2, 3, 4, 5
	streamOctetsField, streamSHA256Field                              = 6, 7
	nameField, valueField                                             = 1, 2
)

// form is an Output before it is encoded.
type form struct {
	status       uint32
	headers      []field
	hasBody      bool
	body         []byte
	trailers     []field
	streamOctets uint64
	streamSHA256 []byte
}

// ErrNotCanonical says that bytes are no Output in canonical encoding.
var ErrNotCanonical = errors.New("not an output in canonical encoding")

// Decode reads an Output and refuses every encoding but the canonical one. The
// result shares no memory with output.
func Decode(output []byte) (*logv1.Output, error) {
	o := new(logv1.Output)
	if err := proto.Unmarshal(output, o); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotCanonical, err)
	}
	again := encode(form{
		status: o.GetStatus(), headers: fields(o.GetHeaders()), hasBody: o.GetHasBody(), body: o.GetBody(),
		trailers: fields(o.GetTrailers()), streamOctets: o.GetStreamOctets(), streamSHA256: o.GetStreamSha256(),
	})
	if !bytes.Equal(again, output) {
		return nil, fmt.Errorf("%w: %d octets encode again as %d others", ErrNotCanonical, len(output), len(again))
	}
	return o, nil
}

func fields(list []*logv1.Header) []field {
	out := make([]field, len(list))
	for i, h := range list {
		out[i] = field{name: h.GetName(), value: h.GetValue()}
	}
	return out
}

// encode writes fields in ascending order, zero values left out. It is written
// by hand because protobuf promises no stable bytes from one release to the next.
func encode(f form) []byte {
	b := make([]byte, 0, f.size())
	b = appendVarint(b, statusField, uint64(f.status))
	b = appendFields(b, headersField, f.headers)
	b = appendVarint(b, hasBodyField, protowire.EncodeBool(f.hasBody))
	b = appendBytes(b, bodyField, f.body)
	b = appendFields(b, trailersField, f.trailers)
	b = appendVarint(b, streamOctetsField, f.streamOctets)
	return appendBytes(b, streamSHA256Field, f.streamSHA256)
}

// size is an upper bound, so that a large body is copied once.
func (f form) size() int {
	const overhead = 2 * (1 + 10) // of a nested header: two tags, two lengths, and its own
	n := 8*overhead + len(f.body) + len(f.streamSHA256)
	for _, list := range [][]field{f.headers, f.trailers} {
		for _, h := range list {
			n += 2*overhead + len(h.name) + len(h.value)
		}
	}
	return n
}

func appendFields(b []byte, number protowire.Number, list []field) []byte {
	for _, h := range list {
		b = protowire.AppendTag(b, number, protowire.BytesType)
		b = protowire.AppendVarint(b, uint64(bytesSize(nameField, h.name)+bytesSize(valueField, h.value)))
		b = appendBytes(b, nameField, h.name)
		b = appendBytes(b, valueField, h.value)
	}
	return b
}

func bytesSize(number protowire.Number, v []byte) int {
	if len(v) == 0 {
		return 0
	}
	return protowire.SizeTag(number) + protowire.SizeBytes(len(v))
}

func appendBytes(b []byte, number protowire.Number, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	b = protowire.AppendTag(b, number, protowire.BytesType)
	return protowire.AppendBytes(b, v)
}

func appendVarint(b []byte, number protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = protowire.AppendTag(b, number, protowire.VarintType)
	return protowire.AppendVarint(b, v)
}

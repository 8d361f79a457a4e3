package output

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// ErrNotRestored says that what an ignore policy took out of an output does not fit
// into it.
var ErrNotRestored = errors.New("the ignored parts don't fit the output")

// Reapply gives a recorded response the canonical form that it has under another
// policy. path is its request's. It fails with ErrNotCanonical or ErrNotRestored.
//
// Of a stream the output has no body but a digest: nothing in it can be ignored.
func Reapply(r *logv1.Response, path string, p IgnorePolicy) (Canonicalized, error) {
	o, err := restored(r)
	if err != nil {
		return Canonicalized{}, err
	}
	return p.apply(path, form{
		status: o.GetStatus(), headers: fields(o.GetHeaders()), hasBody: o.GetHasBody() || len(o.GetBody()) > 0,
		body: o.GetBody(), trailers: fields(o.GetTrailers()), streamOctets: o.GetStreamOctets(), streamSHA256: o.GetStreamSha256(),
	}), nil
}

// Restore gives back the response that was brought into canonical form: its lists in
// canonical form, and the body octet by octet. It fails as Reapply does. Of a stream
// there is no body to restore.
func Restore(r *logv1.Response) (Message, error) {
	o, err := restored(r)
	if err != nil {
		return Message{}, err
	}
	return Message{Status: int(o.GetStatus()), Headers: o.GetHeaders(), Body: o.GetBody(), Trailers: o.GetTrailers()}, nil
}

// restored is the output without any policy.
func restored(r *logv1.Response) (*logv1.Output, error) {
	o, err := Decode(r.GetOutput())
	if err != nil {
		return nil, err
	}
	for _, h := range r.GetIgnoredHeaders() {
		list := &o.Headers
		if h.GetInTrailers() {
			list = &o.Trailers
		}
		// They are in list order, so that an index fits when its turn comes.
		if int64(h.GetIndex()) > int64(len(*list)) {
			return nil, fmt.Errorf("%w: header %q has index %d in a list of %d", ErrNotRestored, h.GetName(), h.GetIndex(), len(*list))
		}
		*list = slices.Insert(*list, int(h.GetIndex()), &logv1.Header{Name: h.GetName(), Value: h.GetValue()})
	}
	if o.Body, err = restoredBody(o.GetBody(), r.GetIgnoredSpans()); err != nil {
		return nil, err
	}
	return o, nil
}

func restoredBody(body []byte, spans []*logv1.IgnoredSpan) ([]byte, error) {
	if len(spans) == 0 {
		return body, nil
	}
	size := uint64(len(body))
	for _, s := range spans {
		size += uint64(len(s.GetOriginal()))
	}
	if size > math.MaxInt32 {
		return nil, fmt.Errorf("%w: the body would have %d octets", ErrNotRestored, size)
	}
	out, at := make([]byte, 0, size), uint64(0)
	for _, s := range spans {
		from, length := s.GetPosition(), uint64(s.GetOctets())
		if from < at || from > uint64(len(body)) || length > uint64(len(body))-from {
			return nil, fmt.Errorf("%w: a span of %d octets at %d of a body of %d", ErrNotRestored, length, from, len(body))
		}
		if !standsFor(body[from:from+length], s.GetOriginal()) {
			return nil, fmt.Errorf("%w: at octet %d of the body is no placeholder", ErrNotRestored, from)
		}
		out = append(out, body[at:from]...)
		out = append(out, s.GetOriginal()...)
		at = from + length
	}
	return append(out, body[at:]...), nil
}

// standsFor says whether octets of an output can stand for an original: they are the
// placeholder, nothing, or a length in place of a length.
func standsFor(octets, original []byte) bool {
	if string(octets) == Placeholder || len(octets) == 0 {
		return len(original) > 0
	}
	return isLength(octets) && isLength(original)
}

// isLength says whether b can be the length of a gRPC frame or of a protobuf field.
func isLength(b []byte) bool {
	_, n := protowire.ConsumeVarint(b)
	return len(b) == 4 || n == len(b) && n > 0
}

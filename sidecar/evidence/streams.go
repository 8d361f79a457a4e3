package evidence

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strconv"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// checkStream wants all parts of what came in parts.
func (f *File) checkStream(r *Report) {
	f.checkRequestParts(r)
	out, err := decodeOutput(f.response().GetOutput())
	if f.response() == nil || err != nil || out.GetStreamOctets() == 0 && len(out.GetStreamSha256()) == 0 {
		return
	}
	if f.checkOmitted(r, out) {
		return
	}
	digest, octets := sha256.New(), uint64(0)
	for _, e := range f.parts {
		data := e.event.GetResponsePart().GetData()
		digest.Write(data)
		octets += uint64(len(data))
	}
	if octets != out.GetStreamOctets() || !bytes.Equal(digest.Sum(nil), out.GetStreamSha256()) {
		r.wrong(f.outcome.Offset, CodeExchange, "The response at %d is of a stream of %d octets, and the parts in this file are others: %d octets.",
			f.outcome.Offset, out.GetStreamOctets(), octets)
		return
	}
	r.add(Proven, "The parts in this file are the whole stream of the response at %d: %d octets with the SHA-256 that it names.", f.outcome.Offset, octets)
}

// checkRequestParts says whether the parts of a request are all there. A request that
// was answered before its end has no last one, and so does one that was cut.
func (f *File) checkRequestParts(r *Report) {
	if !f.request.event.GetRequest().GetStream() {
		return
	}
	last, omitted, octets := false, false, uint64(0)
	for _, e := range f.parts {
		part := e.event.GetRequestPart()
		last = last || part.GetLast()
		octets += uint64(len(part.GetData()))
		if o := part.GetOmitted(); o != nil {
			omitted = true
			r.add(Missing, "The body of request %d was not kept: it had %d octets with the SHA-256 %x.", f.request.Offset, o.GetOctets(), o.GetSha256())
		}
	}
	switch {
	case !last:
		r.add(Missing, "The last part of request %d is not in this file: the request did not come to its end, or the part is kept back.", f.request.Offset)
	case !omitted:
		f.checkLength(r, octets)
	}
}

// checkLength compares the octets of a request that came to its end with what it says
// itself, which Envoy holds it to: nothing else in a log tells how much it sent.
func (f *File) checkLength(r *Report, octets uint64) {
	switch said, err := strconv.ParseUint(output.ValueOf(f.request.event.GetRequest().GetHeaders(), "content-length"), 10, 64); {
	case err != nil:
		r.add(Missing, "Request %d does not say how long its body is, and nothing else does: a part between those in this file may be kept back.", f.request.Offset)
	case said != octets:
		r.wrong(f.request.Offset, CodeExchange, "Request %d says that it has %d octets, and its parts in this file have %d.", f.request.Offset, said, octets)
	default:
		r.add(Proven, "The parts in this file are the whole body of request %d: it says that it has %d octets.", f.request.Offset, octets)
	}
}

// checkOmitted compares a response with what was not kept of it; false: all was.
func (f *File) checkOmitted(r *Report, out *logv1.Output) bool {
	i := slices.IndexFunc(f.parts, func(e *item) bool { return e.event.GetResponsePart().GetOmitted() != nil })
	if i < 0 {
		return false
	}
	at, o := f.parts[i].Offset, f.parts[i].event.GetResponsePart().GetOmitted()
	if o.GetOctets() != out.GetStreamOctets() || !bytes.Equal(o.GetSha256(), out.GetStreamSha256()) {
		r.wrong(f.outcome.Offset, CodeExchange, "The response at %d is of a stream of %d octets, and the part at %d says that others were not kept: %d octets.",
			f.outcome.Offset, out.GetStreamOctets(), at, o.GetOctets())
		return true
	}
	r.add(Missing, "The body of the response at %d was not kept: it had %d octets with the SHA-256 that it names.", f.outcome.Offset, o.GetOctets())
	return true
}

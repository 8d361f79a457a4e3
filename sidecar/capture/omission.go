package capture

import (
	"crypto/sha256"
	"errors"
	"hash"
	"math"
	"strconv"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// omission counts octets that pass, and hashes them.
type omission struct {
	octets uint64
	digest hash.Hash
}

func newOmission() *omission { return &omission{digest: sha256.New()} }

func (o *omission) add(data []byte) {
	o.octets += uint64(len(data))
	o.digest.Write(data)
}

func (o *omission) message() *logv1.Omitted {
	return &logv1.Omitted{Octets: o.octets, Sha256: o.digest.Sum(nil)}
}

// stream is what stands in an output for the octets.
func (o *omission) stream() *output.Stream {
	return &output.Stream{Octets: o.octets, SHA256: [sha256.Size]byte(o.digest.Sum(nil))}
}

// omits says whether a body of a length passes by count and digest alone.
func (x *exchange) omits(length int64) bool {
	return x.server.Oversize && length > int64(x.server.MaxEventBytes)
}

// contentLength is what a header list says of its body, in octets; known is false
// if nothing.
func contentLength(headers []*logv1.Header) (length int64, known bool) {
	n, err := strconv.ParseUint(output.ValueOf(headers, "content-length"), 10, 63)
	if errors.Is(err, strconv.ErrRange) {
		return math.MaxInt64, true
	}
	return int64(n), err == nil //nolint:gosec // 63 bits
}

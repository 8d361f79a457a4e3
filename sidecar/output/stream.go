package output

import (
	"crypto/sha256"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// CanonicalStream gives a response its canonical form as a stream's: the count and
// the SHA-256 of all octets of its body stand in the body's place, so that nobody
// has to hold it. m's body is not looked at. All else is as Canonical has it; a
// stream without octets counts as no body too.
func CanonicalStream(m Message, octets uint64, digest [sha256.Size]byte, p IgnorePolicy) (Canonicalized, error) {
	m.Body = nil
	c, err := Canonical(m, p)
	if err != nil {
		return Canonicalized{}, err
	}
	o, err := Decode(c.Output)
	if err != nil {
		return Canonicalized{}, fmt.Errorf("canonicalize stream: %w", err)
	}
	c.Output = encode(form{
		status: o.GetStatus(), headers: fields(o.GetHeaders()), hasBody: octets > 0, trailers: fields(o.GetTrailers()),
		streamOctets: octets, streamSHA256: digest[:],
	})
	c.Hash = sha256.Sum256(c.Output)
	return c, nil
}

// StreamOctets says whether an output has the form of a stream, and of how many
// octets. It reads nothing else of it: what is no output is no stream.
func StreamOctets(output []byte) (octets uint64, streamed bool) {
	for len(output) > 0 {
		number, kind, n := protowire.ConsumeTag(output)
		if n < 0 {
			return 0, false
		}
		output = output[n:]
		if number == streamOctetsField && kind == protowire.VarintType {
			octets, _ = protowire.ConsumeVarint(output)
		}
		streamed = streamed || number == streamSHA256Field
		if n = protowire.ConsumeFieldValue(number, kind, output); n < 0 {
			return 0, false
		}
		output = output[n:]
	}
	return octets, streamed
}

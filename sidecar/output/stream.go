package output

import (
	"crypto/sha256"

	"google.golang.org/protobuf/encoding/protowire"
)

// Stream is what the output of a body that came in parts has in its place. Where
// one part ended is not output.
type Stream struct {
	Octets uint64
	SHA256 [sha256.Size]byte
}

// StreamOf is the stream of a body that is there whole.
func StreamOf(body []byte) *Stream {
	return &Stream{Octets: uint64(len(body)), SHA256: sha256.Sum256(body)}
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

package output

import "crypto/sha256"

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

package target

import (
	"crypto/sha256"
	"hash"

	"verbatim/sidecar/output"
)

// Answer is an answer whose body need not be held whole.
type Answer struct {
	// Message has the first octets of the body, and trailers once all has come.
	output.Message
	// Octets and SHA256 are of the whole body.
	Octets uint64
	SHA256 [sha256.Size]byte
}

// gathered is what has come of an answer. It is written by who reads.
type gathered struct {
	message output.Message
	hold    int64 // the most octets of the body to hold
	most    int64 // the most that it may have
	octets  int64
	digest  hash.Hash    // nil: nobody asks
	came    func(octets) // told of the head, with 0, and of each piece of the body
}

// octets are some of an answer's body.
type octets int

func (g *gathered) answer() Answer {
	a := Answer{Message: g.message, Octets: uint64(g.octets)}
	g.digest.Sum(a.SHA256[:0])
	return a
}

// begin makes room for a body of n octets.
func (g *gathered) begin(n int64) {
	if n = min(n, g.hold); n > 0 {
		g.message.Body = make([]byte, 0, n)
	}
}

func (g *gathered) tooLong(n int64) error {
	if n <= g.most-g.octets {
		return nil
	}
	return malformed("its body is longer than %d octets, the limit", g.most)
}

// Write takes a piece of the body.
func (g *gathered) Write(p []byte) (int, error) {
	if err := g.tooLong(int64(len(p))); err != nil {
		return 0, err
	}
	if room := g.hold - int64(len(g.message.Body)); room > 0 {
		g.message.Body = append(g.message.Body, p[:min(room, int64(len(p)))]...)
	}
	if g.digest != nil {
		g.digest.Write(p)
	}
	g.octets += int64(len(p))
	g.came(octets(len(p)))
	return len(p), nil
}

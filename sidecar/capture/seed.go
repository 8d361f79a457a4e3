package capture

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strconv"

	"verbatim/sidecar/output"
)

// newSeed is from the operating system's secure generator.
func newSeed() (uint64, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("draw seed: %w", err)
	}
	return binary.BigEndian.Uint64(b[:]), nil
}

// replayed says whether the request brings the clock and the seed of a recorded
// one: then a replay leads back here, and must not be captured. A retry brings those
// of the attempt before; the first one was looked at, and Envoy doesn't try again what
// was refused.
func (x *exchange) replayed() (bool, error) {
	if x.server.Replayed == nil || x.request.attempt > 1 {
		return false, nil
	}
	clock, err := strconv.ParseUint(x.request.header(x.server.ClockHeader), 10, 64)
	if err != nil {
		return false, nil //nolint:nilerr // it brings none
	}
	seed, err := strconv.ParseUint(x.request.header(x.server.SeedHeader), 10, 64)
	if err != nil {
		return false, nil //nolint:nilerr // it brings none
	}
	return x.server.Replayed(clock, seed)
}

// header is the first value of a name, or empty.
func (r *request) header(name string) string { return output.ValueOf(r.headers, name) }

package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// The headers that carry time and randomness.
const (
	clockHeader = "X-Verbatim-Clock-Ms"
	seedHeader  = "X-Verbatim-Seed"
)

// input is what a request brings besides its body.
type input struct {
	now  time.Time // UTC, whole milliseconds
	seed uint64
}

// readInput takes time and seed from the headers, or from the machine where a
// header is missing or the fault says so.
func readInput(h http.Header, f fault) (input, error) {
	in := input{now: time.Now().UTC().Truncate(time.Millisecond), seed: randomSeed()}
	if text := h.Get(clockHeader); text != "" && f != faultWallClock {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return input{}, fmt.Errorf("header %s: %q is not a number of milliseconds", clockHeader, text)
		}
		in.now = time.UnixMilli(ms).UTC()
	}
	if text := h.Get(seedHeader); text != "" && f != faultRandom {
		var err error
		if in.seed, err = parseSeed(text); err != nil {
			return input{}, fmt.Errorf("header %s: %w", seedHeader, err)
		}
	}
	return in, nil
}

// uuidLength is that of a UUID with its dashes, which profile observe gives.
const uuidLength = 36

// parseSeed reads a number, or makes one of a UUID, of which not all bits are random.
func parseSeed(text string) (uint64, error) {
	if len(text) == uuidLength {
		sum := sha256.Sum256([]byte(text))
		return binary.BigEndian.Uint64(sum[:8]), nil
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number of 64 bits", text)
	}
	return seed, nil
}

func randomSeed() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return binary.BigEndian.Uint64(b[:])
}

// token mints the 20-digit number of the n-th reading of a request, from 0.
func (in input) token(meterID string, n int) string {
	b := binary.BigEndian.AppendUint64(nil, in.seed)
	b = binary.BigEndian.AppendUint64(b, uint64(n))
	sum := sha256.Sum256(append(b, meterID...))
	return fmt.Sprintf("%010d%010d",
		binary.BigEndian.Uint64(sum[:8])%1e10, binary.BigEndian.Uint64(sum[8:16])%1e10)
}

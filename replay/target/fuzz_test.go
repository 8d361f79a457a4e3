package target

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"verbatim/sidecar/output"
	"verbatim/tests/oddities"
)

// A response reads the same however it is cut into segments, and what is
// accepted has a canonical form.
func FuzzHTTP1Response(f *testing.F) {
	for _, odd := range oddities.Responses() {
		f.Add(odd.Raw, odd.RequestMethod == "HEAD")
	}
	f.Fuzz(func(t *testing.T, raw []byte, head bool) {
		method := "GET"
		if head {
			method = "HEAD"
		}
		read := func(r io.Reader) (output.Message, error) {
			h := http1Reader{br: bufio.NewReaderSize(r, 16)}
			g := &gathered{hold: 1 << 16, most: 1 << 16, came: func(octets) {}}
			_, err := h.response(method, g)
			return g.message, err
		}
		m, err := read(bytes.NewReader(raw))
		slow, slowErr := read(iotest.OneByteReader(bytes.NewReader(raw)))
		if (err == nil) != (slowErr == nil) || errors.Is(err, ErrMalformed) != errors.Is(slowErr, ErrMalformed) {
			t.Fatalf("at once %v, octet by octet %v", err, slowErr)
		}
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("neither malformed nor short: %v", err)
			}
			return
		}
		a, err := output.Canonical(m, output.DefaultIgnorePolicy())
		if err != nil {
			t.Fatal(err)
		}
		b, err := output.Canonical(slow, output.DefaultIgnorePolicy())
		if err != nil {
			t.Fatal(err)
		}
		if a.Hash != b.Hash {
			t.Fatalf("at once %x, octet by octet %x", a.Output, b.Output)
		}
	})
}

package target

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"verbatim/sidecar/output"
)

// http2Answer is an answer on stream 1 in frames: headers, data, trailers.
func http2Answer(status, body, trailer string) []byte {
	var out, block bytes.Buffer
	w, e := http2.NewFramer(&out, nil), hpack.NewEncoder(&block)
	fields := func(end bool, list ...hpack.HeaderField) {
		block.Reset()
		for _, f := range list {
			if err := e.WriteField(f); err != nil {
				panic(err)
			}
		}
		if err := w.WriteHeaders(http2.HeadersFrameParam{
			StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end,
		}); err != nil {
			panic(err)
		}
	}
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	must(w.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}))
	fields(false, hpack.HeaderField{Name: ":status", Value: status}, hpack.HeaderField{Name: "x-a", Value: "1"})
	must(w.WriteData(1, false, []byte(body)))
	must(w.WritePing(false, [8]byte{1}))
	must(w.WriteWindowUpdate(1, 9))
	fields(true, hpack.HeaderField{Name: trailer, Value: "0"})
	return out.Bytes()
}

// An answer in frames reads the same however it is cut into segments, what is
// accepted has a canonical form, and all octets of its body are counted.
func FuzzHTTP2Response(f *testing.F) {
	f.Add(http2Answer("200", "hello", "grpc-status"), false)
	f.Add(http2Answer("304", "", "x-t"), true)
	f.Add(http2Answer("99", "hello", "connection"), false)
	f.Fuzz(func(t *testing.T, raw []byte, head bool) {
		read := func(r io.Reader) (output.Message, error) {
			c := newHTTP2Conn(nil)
			c.br = bufio.NewReaderSize(r, 16)
			c.framer = http2.NewFramer(nil, c.br)
			c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
			c.framer.MaxHeaderListSize = 1 << 16
			c.framer.SetMaxReadFrameSize(maxFrame)
			counted := 0
			g := &gathered{hold: 1 << 16, most: 1 << 16, came: func(n octets) { counted += int(n) }}
			err := c.receive(&http2Response{id: 1, head: head, gathered: g})
			if counted != len(g.message.Body) || g.octets != int64(counted) {
				t.Fatalf("%d octets were counted of %d", counted, len(g.message.Body))
			}
			if err == nil && c.noticed {
				err = ErrBrokenOff
			}
			return g.message, err
		}
		m, err := read(bytes.NewReader(raw))
		slow, slowErr := read(iotest.OneByteReader(bytes.NewReader(raw)))
		if (err == nil) != (slowErr == nil) || errors.Is(err, ErrMalformed) != errors.Is(slowErr, ErrMalformed) {
			t.Fatalf("at once %v, octet by octet %v", err, slowErr)
		}
		if err != nil {
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

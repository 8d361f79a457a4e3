package output_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

var update = flag.Bool("update", false, "write the golden files")

// The golden file pins the bytes for ever: a difference is a new format version.
func TestGolden(t *testing.T) {
	messages := []output.Message{
		{Status: 200, Headers: list("Content-Type:application/json", "date:now", "X-A: 1 ", "content-length:11"), Body: []byte(`{"total":1}`)},
		{Status: 204, Headers: list("content-length:0")},
		{Status: 500, Headers: list("x-e:", "vary:a", "vary:b"), Body: []byte("no"), Trailers: list("grpc-status:13", "x-request-id:7")},
		{Status: 65535},
		{Status: 200, Body: bytes.Repeat([]byte{0, 255}, 200)},
	}
	var b strings.Builder
	for _, m := range messages {
		c, err := output.Canonical(m, output.DefaultIgnorePolicy())
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(hex.EncodeToString(c.Output) + "\n" + hex.EncodeToString(c.Hash[:]) + "\n")
	}
	const golden = "testdata/outputs.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("outputs differ from %s:\n%s", golden, b.String())
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, b := range map[string][]byte{
		"no protobuf":          {0xff},
		"truncated":            {0x12, 5, 1},
		"unknown field":        {0x08, 0xc8, 0x01, 0x78, 1},
		"fields out of order":  {0x18, 1, 0x08, 0xc8, 0x01},
		"zero value written":   {0x08, 0},
		"varint of more bytes": {0x08, 0xc8, 0x81, 0x00},
		"status twice":         {0x08, 0xc8, 0x01, 0x08, 0xc8, 0x01},
		"unknown in a header":  {0x12, 2, 0x18, 1},
		"value before name":    {0x12, 6, 0x12, 1, 'v', 0x0a, 1, 'n'},
		"bool above one":       {0x18, 2},
	} {
		if _, err := output.Decode(b); !errors.Is(err, output.ErrNotCanonical) {
			t.Errorf("%s: Decode = %v", name, err)
		}
	}
}

// A stream's output has the fields that Canonical does not write.
func TestDecodeStream(t *testing.T) {
	o := &logv1.Output{Status: 200, HasBody: true, StreamOctets: 5, StreamSha256: make([]byte, 32)}
	got, err := output.Decode(encoded(t, o))
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got, o) {
		t.Errorf("got %v, want %v", got, o)
	}
}

func encoded(tb testing.TB, o *logv1.Output) []byte {
	tb.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(o)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x08, 0xc8, 0x01, 0x12, 6, 0x0a, 1, 'n', 0x12, 1, 'v', 0x18, 1, 0x22, 1, 'b'})
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := output.Decode(b)
		if err != nil {
			return
		}
		again, err := proto.MarshalOptions{Deterministic: true}.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("accepted %x, which protobuf writes as %x", b, again)
		}
	})
}

// Canonical is idempotent: its own list, taken as a message, gives the same bytes.
func FuzzCanonical(f *testing.F) {
	f.Add(uint16(200), "X-A", " 1 ", "vary", "a", []byte("body"), "x-t", "1")
	f.Add(uint16(204), "connection", "X-B", "x-b", "", []byte(nil), "", "")
	f.Fuzz(func(t *testing.T, status uint16, n1, v1, n2, v2 string, body []byte, tn, tv string) {
		m := output.Message{Status: int(status), Headers: list(), Body: body}
		for _, h := range [][2]string{{n1, v1}, {n2, v2}, {n1, v2}} {
			m.Headers = append(m.Headers, &logv1.Header{Name: []byte(h[0]), Value: []byte(h[1])})
		}
		m.Trailers = []*logv1.Header{{Name: []byte(tn), Value: []byte(tv)}}
		first, err := output.Canonical(m, output.DefaultIgnorePolicy())
		if err != nil {
			return
		}
		o, err := output.Decode(first.Output)
		if err != nil {
			t.Fatal(err)
		}
		again, err := output.Canonical(output.Message{
			Status: int(o.GetStatus()), Headers: o.GetHeaders(), Body: o.GetBody(), Trailers: o.GetTrailers(),
		}, output.DefaultIgnorePolicy())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Output, first.Output) || again.Hash != first.Hash {
			t.Errorf("%x is canonicalized again as %x", first.Output, again.Output)
		}
	})
}

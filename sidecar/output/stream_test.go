package output_test

import (
	"crypto/sha256"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

func TestCanonicalOfAStream(t *testing.T) {
	for _, body := range []string{"", "some octets"} {
		m := output.Message{
			Status: 200, Headers: list("Content-Type:text/event-stream", "date:now", "x-a: 1"),
			Body: []byte("not looked at"), Trailers: list("grpc-status:0"),
		}
		digest := sha256.Sum256([]byte(body))
		m.Stream = output.StreamOf([]byte(body))
		c, err := output.Canonical(m, output.DefaultIgnorePolicy())
		if err != nil {
			t.Fatal(err)
		}
		got, err := output.Decode(c.Output)
		if err != nil {
			t.Fatal(err)
		}
		want := &logv1.Output{
			Status: 200, Headers: list("content-type:text/event-stream", "x-a:1"), HasBody: body != "",
			Trailers: list("grpc-status:0"), StreamOctets: uint64(len(body)), StreamSha256: digest[:],
		}
		if !proto.Equal(got, want) || c.Hash != sha256.Sum256(c.Output) || len(c.Ignored) != 1 {
			t.Errorf("got %v, ignored %v, want %v", got, c.Ignored, want)
		}
		if n, streamed := output.StreamOctets(c.Output); !streamed || n != uint64(len(body)) {
			t.Errorf("a stream of %d octets is taken for %t, %d", len(body), streamed, n)
		}
	}
	whole, err := output.Canonical(output.Message{Status: 200, Body: []byte("b")}, output.DefaultIgnorePolicy())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{nil, whole.Output, {0xff}, {0x3a, 5, 1}} {
		if _, streamed := output.StreamOctets(b); streamed {
			t.Errorf("%x is taken for a stream", b)
		}
	}
}

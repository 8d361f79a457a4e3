package capture

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	logv1 "verbatim/proto/verbatim/log/v1"
)

func TestTheRequestEncodedByHandIsTheMessage(t *testing.T) {
	header := func(n, v string) *logv1.Header { return &logv1.Header{Name: []byte(n), Value: []byte(v)} }
	for name, r := range map[string]request{
		"empty": {source: &logv1.Source{}, seed: 0},
		"full": {
			headers: []*logv1.Header{header(":method", "POST"), header("x", ""), header("x", "\xff\x00")},
			hasBody: true, body: make([]byte, 100_000), trailersFollow: true, protocol: "HTTP/2",
			source:   &logv1.Source{Address: "127.0.0.1:1", TlsPeer: "spiffe://a"},
			meterIDs: []string{"m1", "m2"}, seed: ^uint64(0),
		},
		"a stream":      {hasBody: true, requestStream: requestStream{stream: true}, source: &logv1.Source{Address: "a"}, seed: 7},
		"an empty body": {hasBody: true, source: &logv1.Source{Address: "a"}, seed: 7},
	} {
		t.Run(name, func(t *testing.T) {
			d := r.draft("x-verbatim-clock-ms", "x-verbatim-seed")
			copy(d.Event[d.ClockAt:], "1800000000123")
			var got logv1.Event
			if err := proto.Unmarshal(d.Event, &got); err != nil {
				t.Fatal(err)
			}
			want := &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
				MeterIds: r.meterIDs, HasBody: r.hasBody, Body: r.body, TrailersFollow: r.trailersFollow,
				Protocol: r.protocol, Source: r.source, Stream: r.stream,
				Headers: append(r.headers, header("x-verbatim-clock-ms", "1800000000123"),
					header("x-verbatim-seed", strconv.FormatUint(r.seed, 10))),
			}}}
			if diff := cmp.Diff(want, &got, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

package target_test

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"

	"verbatim/replay/target"
)

// serveGRPC is gRPC's own interop server; calls gets how each call ended.
func serveGRPC(t *testing.T, calls chan<- error) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, h grpc.StreamHandler) error {
		err := h(srv, stream)
		calls <- stream.Context().Err()
		return err
	}))
	testpb.RegisterTestServiceServer(s, interop.NewTestServer())
	served := make(chan error)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// grpcFrame is a message as it stands in a body.
func grpcFrame(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b))), b...)
}

func payload(size int) *testpb.Payload { return &testpb.Payload{Body: make([]byte, size)} }

func asking(sizes ...int32) *testpb.StreamingOutputCallRequest {
	r := &testpb.StreamingOutputCallRequest{}
	for _, n := range sizes {
		r.ResponseParameters = append(r.ResponseParameters, &testpb.ResponseParameters{Size: n})
	}
	return r
}

func call(method string, parts target.Parts) *target.Request {
	return &target.Request{
		Headers: headers(":method: POST", ":scheme: http", ":path: /grpc.testing.TestService/"+method, ":authority: a",
			"content-type: application/grpc", "te: trailers"),
		HasBody: true, Parts: parts,
	}
}

// TestGRPC calls a method of each kind; every part waits for all answers to those
// before it.
func TestGRPC(t *testing.T) {
	calls := make(chan error, 10)
	tg := open(t, "h2c://"+serveGRPC(t, calls), target.Options{})
	answers := func(sizes ...int) (all []byte) {
		for _, n := range sizes {
			all = append(all, grpcFrame(t, &testpb.StreamingOutputCallResponse{Payload: payload(n)})...)
		}
		return all
	}
	first, both := answers(70_000), answers(70_000, 9)
	for method, c := range map[string]struct {
		parts []target.Part
		want  []byte
	}{
		"UnaryCall": {[]target.Part{{Data: grpcFrame(t, &testpb.SimpleRequest{ResponseSize: 8, Payload: payload(5)}), Last: true}},
			grpcFrame(t, &testpb.SimpleResponse{Payload: payload(8)})},
		"StreamingInputCall": {[]target.Part{
			{Data: grpcFrame(t, &testpb.StreamingInputCallRequest{Payload: payload(100_000)})},
			{Data: grpcFrame(t, &testpb.StreamingInputCallRequest{Payload: payload(2)})}, {Last: true},
		}, grpcFrame(t, &testpb.StreamingInputCallResponse{AggregatedPayloadSize: 100_002})},
		"StreamingOutputCall": {[]target.Part{{Data: grpcFrame(t, asking(70_000, 9)), Last: true}}, both},
		"FullDuplexCall": {[]target.Part{
			{Data: grpcFrame(t, asking(70_000))}, {After: uint64(len(first)), Data: grpcFrame(t, asking(9))}, {After: uint64(len(both)), Last: true},
		}, both},
		"HalfDuplexCall": {[]target.Part{{Data: grpcFrame(t, asking(70_000))}, {Data: grpcFrame(t, asking(9))}, {Last: true}}, both},
	} {
		a, err := tg.Stream(within(t), call(method, partsOf(c.parts...)), 1<<20, 1<<20)
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		if !slices.Equal(a.Body, c.want) || a.Octets != uint64(len(c.want)) || len(a.Trailers) == 0 || string(a.Trailers[0].GetValue()) != "0" {
			t.Errorf("%s: an answer of %d octets with trailers %v, want %d octets", method, a.Octets, a.Trailers, len(c.want))
		}
		if method != "UnaryCall" {
			if err := <-calls; err != nil {
				t.Errorf("%s: the server saw it end with %v", method, err)
			}
		}
	}
	for name, r := range map[string]*target.Request{
		"after it began":           call("StreamingInputCall", partsOf()),
		"after the first answer":   call("FullDuplexCall", partsOf(target.Part{Data: grpcFrame(t, asking(70_000))})),
		"after it had sent it all": call("FullDuplexCall", partsOf(target.Part{Data: grpcFrame(t, asking(9))}, target.Part{Data: grpcFrame(t, asking(9))})),
	} {
		r.BreakOff = pointer(0)
		if name == "after the first answer" {
			r.BreakOff = pointer(uint64(len(first)))
		}
		if _, err := tg.Stream(within(t), r, 0, 1<<20); !errors.Is(err, target.ErrBrokenOff) {
			t.Errorf("%s: %v", name, err)
		}
		if err := <-calls; err == nil {
			t.Errorf("%s: the server was not told", name)
		}
	}
}

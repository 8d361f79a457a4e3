package e2e

import (
	"bufio"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocfilterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"verbatim/filter"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay/target"
	"verbatim/tests/mesh"
)

// partsSeen is an ext_proc server that asks for requests in parts and gives what it
// saw as a request to be sent again.
type partsSeen struct {
	extprocv3.UnimplementedExternalProcessorServer
	seen chan *target.Request // one for each exchange
}

func (p *partsSeen) Process(stream extprocv3.ExternalProcessor_ProcessServer) error {
	r := &target.Request{HasBody: true}
	var parts []target.Part
	defer func() {
		r.Parts = func(yield func(target.Part, error) bool) {
			for _, part := range parts {
				if !yield(part, nil) {
					return
				}
			}
		}
		p.seen <- r
	}()
	for {
		in, err := stream.Recv()
		if err != nil {
			return nil // Envoy has what it needs
		}
		out := &extprocv3.ProcessingResponse{ModeOverride: &extprocfilterv3.ProcessingMode{
			RequestBodyMode: extprocfilterv3.ProcessingMode_STREAMED, RequestTrailerMode: extprocfilterv3.ProcessingMode_SEND,
		}}
		switch k := in.GetRequest().(type) {
		case *extprocv3.ProcessingRequest_RequestHeaders:
			r.Headers = seenList(k.RequestHeaders.GetHeaders())
			out.Response = &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{}}
		case *extprocv3.ProcessingRequest_RequestBody:
			parts = append(parts, target.Part{Data: slices.Clone(k.RequestBody.GetBody()), Last: k.RequestBody.GetEndOfStream()})
			out.Response = &extprocv3.ProcessingResponse_RequestBody{RequestBody: &extprocv3.BodyResponse{}}
		case *extprocv3.ProcessingRequest_RequestTrailers:
			parts = append(parts, target.Part{Trailers: seenList(k.RequestTrailers.GetTrailers()), Last: true})
			out.Response = &extprocv3.ProcessingResponse_RequestTrailers{RequestTrailers: &extprocv3.TrailersResponse{}}
		case *extprocv3.ProcessingRequest_ResponseHeaders:
			out.Response = &extprocv3.ProcessingResponse_ResponseHeaders{ResponseHeaders: &extprocv3.HeadersResponse{}}
		default:
			return nil
		}
		if err := stream.Send(out); err != nil {
			return err
		}
	}
}

func seenList(m *corev3.HeaderMap) (list []*logv1.Header) {
	for _, h := range m.GetHeaders() {
		list = append(list, &logv1.Header{Name: []byte(h.GetKey()), Value: h.GetRawValue()})
	}
	return list
}

// startStreaming starts an Envoy before an HTTP/1.1 pipeline that shows requests in
// parts.
func startStreaming(t *testing.T, pipeline string) (addr string, seen <-chan *target.Request) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "p.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	p := &partsSeen{seen: make(chan *target.Request, 10)}
	server := grpc.NewServer()
	extprocv3.RegisterExternalProcessorServer(server, p)
	served := make(chan error)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	b, err := filter.Bootstrap{
		Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Pipeline: pipeline, PipelineProtocol: filter.H1, Capture: &filter.Capture{Sidecar: socket},
	}.Proto()
	if err != nil {
		t.Fatal(err)
	}
	manager := b.GetStaticResources().GetListeners()[0].GetFilterChains()[0].GetFilters()[0].GetTypedConfig()
	change(t, manager, func(m *hcmv3.HttpConnectionManager) {
		change(t, m.GetHttpFilters()[0].GetTypedConfig(), func(e *extprocfilterv3.ExternalProcessor) {
			e.AllowModeOverride = true
			e.ProcessingMode.ResponseBodyMode = extprocfilterv3.ProcessingMode_NONE
			e.ProcessingMode.ResponseTrailerMode = extprocfilterv3.ProcessingMode_SKIP
		})
	})
	config, err := filter.YAML(b)
	if err != nil {
		t.Fatal(err)
	}
	return mesh.StartTestEnvoy(t, mesh.EnvoyOptions{YAML: config}).Addr, p.seen
}

// message is a pointer to a message.
type message[T any] interface {
	*T
	proto.Message
}

// change changes what is packed in a.
func change[T any, M message[T]](t *testing.T, a *anypb.Any, f func(M)) {
	t.Helper()
	m := M(new(T))
	if err := a.UnmarshalTo(m); err != nil {
		t.Fatal(err)
	}
	f(m)
	if err := a.MarshalFrom(m); err != nil {
		t.Fatal(err)
	}
}

// TestPartsAreWrittenAsEnvoyWritesThem has Envoy stream requests to a pipeline, and
// sends what ext_proc saw of them again: the pipeline gets the same bytes.
func TestPartsAreWrittenAsEnvoyWritesThem(t *testing.T) {
	pipeline := startWireServer(t, func(wireMessage) wireAnswer {
		return wireAnswer{raw: []byte("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")}
	})
	envoy, seen := startStreaming(t, pipeline.addr)
	direct := openTarget(t, "http://"+pipeline.addr)
	start := "POST /p HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
	for name, pieces := range map[string][]string{
		"chunks":          {start + "Transfer-Encoding: chunked\r\n\r\n", "2\r\nab\r\n", "3\r\ncde\r\n", "0\r\n\r\n"},
		"one chunk":       {start + "Transfer-Encoding: chunked\r\n\r\n3\r\ncde\r\n0\r\n\r\n"},
		"chunks together": {start + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"},
		"no octet":        {start + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		"trailers":        {start + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nx-t: 1\r\n\r\n"},
		"a length":        {start + "Content-Length: 5\r\n\r\nab", "cde"},
		"a large body":    {start + "Transfer-Encoding: chunked\r\n\r\n30000\r\n" + strings.Repeat("x", 0x30000) + "\r\n0\r\n\r\n"},
	} {
		sendPieces(t, envoy, pieces)
		if _, err := direct.Do(t.Context(), <-seen); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := pipeline.received()
		checkSameWire(t, beforeRouter, got[len(got)-2:len(got)-1], got[len(got)-1:])
	}
}

// sendPieces sends a request and waits for the answer's end.
func sendPieces(t *testing.T, address string, pieces []string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for _, p := range pieces {
		if _, err := io.WriteString(c, p); err != nil {
			t.Fatal(err)
		}
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.Contains(line, "200") {
		t.Fatalf("got %q, %v", line, err)
	}
}

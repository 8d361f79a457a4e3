package capture_test

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/capture"
	"verbatim/sidecar/output"
	"verbatim/sidecar/policy"
	"verbatim/sidecar/room"
	"verbatim/sidecar/turn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type noMetrics struct{}

func (noMetrics) WaitedForTurn(time.Duration)     {}
func (noMetrics) WaitedForDisk(time.Duration)     {}
func (noMetrics) WaitedForPipeline(time.Duration) {}
func (noMetrics) Refused(string)                  {}

// rig is a capture server on a real log, and a client in Envoy's place.
type rig struct {
	t      testing.TB
	log    *auditlog.Log
	losses *capture.Losses
	client extprocv3.ExternalProcessorClient
	server *capture.Server
	grpc   *grpc.Server
	conn   *grpc.ClientConn
}

func newRig(t testing.TB, change func(*capture.Options)) *rig {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{}); err != nil {
		t.Fatal(err)
	}
	log, err := auditlog.Open(dir, auditlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := policy.New(policy.Options{
		Skip: `request.path == "/healthz" ? "health" : ""`, Stream: `request.path == "/v1/upload"`,
		Types: []string{"application/grpc*", "text/event-stream"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, log: log, losses: &capture.Losses{}}
	o := capture.Options{
		Log: log, Policy: rules, Ignore: output.DefaultIgnorePolicy(), Losses: r.losses, Profile: logv1.Profile_PROFILE_STRICT,
		Turns:       turn.New(turn.Options{Ordering: logv1.Ordering_ORDERING_METER, MaxWaiting: 10, MaxWait: time.Minute}),
		ClockHeader: "x-verbatim-clock-ms", SeedHeader: "x-verbatim-seed", MaxEventBytes: 1000,
		Hold: time.Minute, MaxTurn: time.Minute, MaxGather: time.Minute, Room: room.New(5000),
		Metrics: noMetrics{}, Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	r.serve(capture.New(o))
	return r
}

// serve runs the server until the test ends, and closes the log behind it.
func (r *rig) serve(s *capture.Server) {
	listener, err := net.Listen("unix", filepath.Join(r.t.TempDir(), "s"))
	if err != nil {
		r.t.Fatal(err)
	}
	server := grpc.NewServer(grpc.WaitForHandlers(true), grpc.Creds(capture.Links()))
	extprocv3.RegisterExternalProcessorServer(server, s)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	// A test's directory can hold what has a meaning in a target's name.
	conn, err := grpc.NewClient("passthrough:///sidecar", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", listener.Addr().String())
		}))
	if err != nil {
		r.t.Fatal(err)
	}
	r.client = extprocv3.NewExternalProcessorClient(conn)
	r.server, r.grpc, r.conn = s, server, conn
	r.t.Cleanup(func() {
		if err := conn.Close(); err != nil && status.Code(err) != codes.Canceled {
			r.t.Error(err)
		}
		server.Stop()
		s.Wait()
		if err := <-served; err != nil {
			r.t.Error(err)
		}
		if err := r.log.Close(context.Background()); err != nil {
			r.t.Error(err)
		}
	})
}

// exchange is one stream.
type exchange struct {
	t      testing.TB
	stream grpc.BidiStreamingClient[extprocv3.ProcessingRequest, extprocv3.ProcessingResponse]
	cancel context.CancelFunc
}

func (r *rig) begin() *exchange {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	r.t.Cleanup(cancel)
	s, err := r.client.Process(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	return &exchange{t: r.t, stream: s, cancel: cancel}
}

func (x *exchange) send(m *extprocv3.ProcessingRequest) {
	x.t.Helper()
	if err := x.stream.Send(m); err != nil {
		x.t.Fatal(err)
	}
}

// ask sends a message and returns its reply.
func (x *exchange) ask(m *extprocv3.ProcessingRequest) *extprocv3.ProcessingResponse {
	x.t.Helper()
	x.send(m)
	reply, err := x.stream.Recv()
	if err != nil {
		x.t.Fatalf("no reply to %T: %v", m.GetRequest(), err)
	}
	return reply
}

// end closes the stream as Envoy does, and waits for the server to end it.
func (x *exchange) end() {
	x.t.Helper()
	if err := x.stream.CloseSend(); err != nil {
		x.t.Fatal(err)
	}
	for {
		if _, err := x.stream.Recv(); err != nil {
			return
		}
	}
}

// events reads the log until it holds n entries.
func (r *rig) events(n int) []*logv1.Event {
	r.t.Helper()
	for r.t.Context().Err() == nil {
		v, err := r.log.View()
		if err != nil {
			r.t.Fatal(err)
		}
		var list []*logv1.Event
		for e, err := range v.Entries(r.t.Context(), 0, v.Tip().Offset) {
			if err != nil {
				r.t.Fatal(err)
			}
			ev, err := e.Event()
			if err != nil {
				r.t.Fatal(err)
			}
			list = append(list, ev)
		}
		v.Close()
		if len(list) >= n {
			return list
		}
	}
	r.t.Fatalf("the log never held %d entries", n)
	return nil
}

func headerMap(pairs ...string) *corev3.HeaderMap {
	m := &corev3.HeaderMap{}
	for i := 0; i < len(pairs); i += 2 {
		m.Headers = append(m.Headers, &corev3.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return m
}

func requestHeaders(end bool, pairs ...string) *extprocv3.ProcessingRequest {
	list := append([]string{":method", "POST", ":path", "/v1/readings"}, pairs...)
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestHeaders{
		RequestHeaders: &extprocv3.HttpHeaders{Headers: headerMap(list...), EndOfStream: end},
	}}
}

func requestBody(end bool, body string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestBody{
		RequestBody: &extprocv3.HttpBody{Body: []byte(body), EndOfStream: end},
	}}
}

func requestTrailers(pairs ...string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_RequestTrailers{
		RequestTrailers: &extprocv3.HttpTrailers{Trailers: headerMap(pairs...)},
	}}
}

// responseHeaders begins an answer of a known length.
func responseHeaders(end bool, status, details string, flags float64) *extprocv3.ProcessingRequest {
	return answerHeaders(end, details, flags, ":status", status, "x", "1", "content-length", "2")
}

func answerHeaders(end bool, details string, flags float64, pairs ...string) *extprocv3.ProcessingRequest {
	attrs, err := structpb.NewStruct(map[string]any{
		"response.code_details": details, "response.flags": flags, "upstream.address": "10.0.0.1:80",
	})
	if err != nil {
		panic(err)
	}
	return &extprocv3.ProcessingRequest{
		Attributes: map[string]*structpb.Struct{"envoy.filters.http.ext_proc": attrs},
		Request: &extprocv3.ProcessingRequest_ResponseHeaders{ResponseHeaders: &extprocv3.HttpHeaders{
			Headers: headerMap(pairs...), EndOfStream: end,
		}},
	}
}

func responseBody(end bool, body string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseBody{
		ResponseBody: &extprocv3.HttpBody{Body: []byte(body), EndOfStream: end},
	}}
}

func responseTrailers(pairs ...string) *extprocv3.ProcessingRequest {
	return &extprocv3.ProcessingRequest{Request: &extprocv3.ProcessingRequest_ResponseTrailers{
		ResponseTrailers: &extprocv3.HttpTrailers{Trailers: headerMap(pairs...)},
	}}
}

package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"verbatim/filter"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
)

// partsOf lists what belongs to the log's only request of a path, in order: ">" what was
// sent, "<" what came back.
func partsOf(t *testing.T, log, path string) (list []string) {
	t.Helper()
	var of uint64
	put := func(request uint64, word string) {
		if request == of {
			list = append(list, word)
		}
	}
	eachEvent(t, log, 0, func(e auditlog.Entry, ev *logv1.Event) bool {
		switch k := ev.GetKind().(type) {
		case *logv1.Event_Request:
			if output.RequestPath(k.Request.GetHeaders()) == path {
				of = e.Offset
				put(of, fmt.Sprintf("request %v", k.Request.GetStream()))
			}
		case *logv1.Event_RequestPart:
			put(k.RequestPart.GetRequestOffset(), ">")
		case *logv1.Event_ResponsePart:
			if len(k.ResponsePart.GetHeaders()) > 0 {
				put(k.ResponsePart.GetRequestOffset(), "head")
			}
			if len(k.ResponsePart.GetData()) > 0 {
				put(k.ResponsePart.GetRequestOffset(), "<")
			}
		case *logv1.Event_Response:
			put(k.Response.GetRequestOffset(), "response")
		case *logv1.Event_Abort:
			put(k.Abort.GetRequestOffset(), "abort "+k.Abort.GetDelivered().String())
		}
		return true
	})
	return slices.Compact(list)
}

// echoGRPC serves any method: its name says what it does.
func echoGRPC(_ any, s grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(s)
	for n := 0; ; n++ {
		var m wrapperspb.StringValue
		if err := s.RecvMsg(&m); errors.Is(err, io.EOF) {
			if path.Base(method) == "Client" {
				return s.SendMsg(wrapperspb.String(fmt.Sprint(n)))
			}
			return nil
		} else if err != nil {
			return err
		}
		answers := map[string]int{"Unary": 1, "Server": 3, "Bidi": 1}[path.Base(method)]
		for range answers {
			if err := s.SendMsg(&m); err != nil {
				return err
			}
		}
	}
}

func startEchoGRPC(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, served := grpc.NewServer(grpc.UnknownServiceHandler(echoGRPC)), make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// TestGRPCPassesInParts: in a bidirectional call each side waits for the other. In
// profile observe only that is recorded in parts; what is over soon is whole.
func TestGRPCPassesInParts(t *testing.T) { inPlaces(t, observing, grpcInParts) }

func grpcInParts(t *testing.T, p wirePlace) {
	upstream := startEchoGRPC(t)
	s := newSite(t, p.options(siteOptions{upstream: upstream, protocol: filter.H2}, "meter"))
	conn, err := grpc.NewClient(s.envoy.Addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	for _, c := range []struct {
		method   string
		asks     int
		pingPong bool
		answers  int
	}{{"Unary", 1, false, 1}, {"Client", 3, false, 1}, {"Server", 1, false, 3}, {"Bidi", 3, true, 3}} {
		call(t, conn, c.method, c.asks, c.pingPong, c.answers)
	}
	p.stop(s, 4)
	recorded := p.exchanges(s)
	if len(recorded) != 4 {
		t.Fatalf("%d requests", len(recorded))
	}
	for _, x := range recorded {
		if p.refuses && !x.request.GetStream() || x.response == nil {
			t.Errorf("request %d: stream %v, response %v, abort %v", x.offset, x.request.GetStream(), x.response, x.abort)
		}
	}
	if got := strings.Join(partsOf(t, s.log, "/t.T/Bidi"), " "); !strings.HasPrefix(got, "request true > head < > < > <") {
		t.Errorf("entries %s", got)
	}
	if r := s.verify(0, s.log); !r.OK {
		t.Errorf("verify: %+v", r)
	}
	checkReplay(t, s, "h2c://"+startEchoGRPC(t), 4)
}

func call(t *testing.T, conn *grpc.ClientConn, method string, asks int, pingPong bool, answers int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/t.T/"+method)
	if err != nil {
		t.Fatal(err)
	}
	recv := func() {
		var m wrapperspb.StringValue
		if err := stream.RecvMsg(&m); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
	}
	for i := range asks {
		if err := stream.SendMsg(wrapperspb.String(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		if pingPong {
			recv()
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if !pingPong {
		for range answers {
			recv()
		}
	}
	if err := stream.RecvMsg(new(wrapperspb.StringValue)); !errors.Is(err, io.EOF) {
		t.Errorf("%s ended with %v", method, err)
	}
}

// TestAnAnswerThatNeverEnds: events and unmarked chunks reach the client while the
// pipeline goes on, and the client's going ends it.
func TestAnAnswerThatNeverEnds(t *testing.T) { inPlaces(t, behindRouter, neverEnds) }

func neverEnds(t *testing.T, p wirePlace) {
	for name, kind := range map[string]string{"event stream": "text/event-stream", "chunked": "text/plain"} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{})
			upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("content-type", kind)
				_, _ = io.WriteString(w, "data: 1\n\n")
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
				close(gone)
			}))
			t.Cleanup(upstream.Close)
			s := newSite(t, p.options(siteOptions{upstream: upstream.Listener.Addr().String(), serve: []string{"--stream.hold", "10ms"}}, "meter"))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.envoy.Addr+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || line != "data: 1\n" {
				t.Fatalf("%q, %v", line, err)
			}
			_ = resp.Body.Close()
			<-gone
			p.stop(s, 1)
			if got := strings.Join(partsOf(t, s.log, "/"), " "); got != "request false head < abort DELIVERED_MAYBE" {
				t.Errorf("entries %s", got)
			}
		})
	}
}

// TestAnUploadInParts: the pipeline has the first part before the client has sent
// the second. In profile observe what is over soon is recorded whole.
func TestAnUploadInParts(t *testing.T) { inPlaces(t, observing, uploadInParts) }

func uploadInParts(t *testing.T, p wirePlace) {
	first := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := make([]byte, 3)
		if _, err := io.ReadFull(r.Body, head); err != nil {
			t.Error(err)
		}
		close(first)
		rest, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("content-length", "6")
		_, _ = w.Write(slices.Concat(head, rest))
	}))
	t.Cleanup(upstream.Close)
	s := newSite(t, p.options(siteOptions{upstream: upstream.Listener.Addr().String(), serve: []string{"--capture.stream", `request.path == "/up"`}}, "meter"))
	body, send := io.Pipe()
	go func() { // ends with the second part
		_, _ = io.WriteString(send, "one")
		<-first
		_, _ = io.WriteString(send, "two")
		_ = send.Close()
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.envoy.Addr+"/up", body)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || string(got) != "onetwo" || resp.ContentLength != 6 {
		t.Errorf("got %q of %d, %v", got, resp.ContentLength, err)
	}
	p.stop(s, 1)
	if got := strings.Join(partsOf(t, s.log, "/up"), " "); p.refuses && got != "request true > response" {
		t.Errorf("entries %s", got)
	}
	if x := readExchanges(t, s.log)[0]; string(x.body) != "onetwo" {
		t.Errorf("recorded %q", x.body)
	}
}

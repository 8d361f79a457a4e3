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
)

// partsOf lists what belongs to the log's only request, in order: ">" what was
// sent, "<" what came back.
func partsOf(t *testing.T, log string) (list []string) {
	t.Helper()
	eachEvent(t, log, 0, func(_ auditlog.Entry, ev *logv1.Event) bool {
		switch k := ev.GetKind().(type) {
		case *logv1.Event_Request:
			list = append(list, fmt.Sprintf("request %v", k.Request.GetStream()))
		case *logv1.Event_RequestPart:
			list = append(list, ">")
		case *logv1.Event_ResponsePart:
			if len(k.ResponsePart.GetHeaders()) > 0 {
				list = append(list, "head")
			}
			if len(k.ResponsePart.GetData()) > 0 {
				list = append(list, "<")
			}
		case *logv1.Event_Response:
			list = append(list, "response")
		case *logv1.Event_Abort:
			list = append(list, "abort "+k.Abort.GetDelivered().String())
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

// TestGRPCPassesInParts: in a bidirectional call each side waits for the other.
func TestGRPCPassesInParts(t *testing.T) {
	upstream := startEchoGRPC(t)
	s := newSite(t, siteOptions{upstream: upstream, protocol: filter.H2})
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
	s.stop()
	recorded := readExchanges(t, s.log)
	if len(recorded) != 4 {
		t.Fatalf("%d requests", len(recorded))
	}
	for _, x := range recorded {
		if !x.request.GetStream() || x.response == nil {
			t.Errorf("request %d: stream %v, response %v, abort %v", x.offset, x.request.GetStream(), x.response, x.abort)
		}
	}
	got := strings.Join(partsOf(t, s.log), " ")
	if _, bidi, ok := strings.Cut(got[strings.LastIndex(got, "request"):], "true "); !ok || !strings.HasPrefix(bidi, "> head < > < > <") {
		t.Errorf("entries %s", got)
	}
	if r := s.verify(0, s.log); !r.OK {
		t.Errorf("verify: %+v", r)
	}
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
func TestAnAnswerThatNeverEnds(t *testing.T) {
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
			s := newSite(t, siteOptions{upstream: upstream.Listener.Addr().String(), serve: []string{"--stream.hold", "10ms"}})
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
			s.stop()
			if got := strings.Join(partsOf(t, s.log), " "); got != "request false head < abort DELIVERED_MAYBE" {
				t.Errorf("entries %s", got)
			}
		})
	}
}

// TestAnUploadInParts: the pipeline has the first part before the client has sent
// the second.
func TestAnUploadInParts(t *testing.T) {
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
	s := newSite(t, siteOptions{upstream: upstream.Listener.Addr().String(), serve: []string{"--capture.stream", `request.path == "/up"`}})
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
	s.stop()
	if got := strings.Join(partsOf(t, s.log), " "); got != "request true > response" {
		t.Errorf("entries %s", got)
	}
	if x := readExchanges(t, s.log)[0]; string(x.body) != "onetwo" {
		t.Errorf("recorded %q", x.body)
	}
}

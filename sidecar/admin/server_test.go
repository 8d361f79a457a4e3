package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/admin"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/gaps"
	"verbatim/sidecar/metrics"
	"verbatim/sidecar/retention"
	"verbatim/sidecar/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const interval = 10

// sidecar is a log with its admin port.
type sidecar struct {
	log    *auditlog.Log
	addr   string
	conn   *grpc.ClientConn
	client auditv1.AuditServiceClient
	stop   func() error // ends Serve and returns what it did
}

// serve opens a new log and serves it until the test ends.
func serve(t testing.TB, change func(*admin.Options)) *sidecar {
	t.Helper()
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	s := &sidecar{log: newLog(t, m)}
	o := admin.Options{
		Log: s.log, Profile: logv1.Profile_PROFILE_STRICT, Ordering: logv1.Ordering_ORDERING_METER,
		Captured: func() []string { return []string{"192.0.2.1:10000"} },
		Untold:   func() []gaps.Loss { return nil }, Room: room.New(1000), Retention: retention.New(retention.Options{Log: s.log}), Registry: registry, Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- admin.New(o).Serve(ctx, ln) }() // ends with cancel, in the clean-up
	s.stop = func() error {
		cancel()
		err := <-served
		served <- err
		return err
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	s.conn, err = grpc.NewClient("passthrough:///"+s.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.conn.Close() }) //nolint:errcheck // the test is over
	s.client = auditv1.NewAuditServiceClient(s.conn)
	return s
}

// newLog opens a new log until the test ends.
func newLog(t testing.TB, observer auditlog.Observer) *auditlog.Log {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "log")
	if _, err := auditlog.Create(dir, auditlog.Origin{Interval: interval}); err != nil {
		t.Fatal(err)
	}
	l, err := auditlog.Open(dir, auditlog.Options{Observer: observer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			t.Errorf("close log: %v", err)
		}
	})
	return l
}

// put appends an event and returns its offset.
func put(t testing.TB, l *auditlog.Log, ev *logv1.Event) uint64 {
	t.Helper()
	d, err := auditlog.NewDraft(ev)
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Append(d).Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p.Offset
}

func request(meters ...string) *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{MeterIds: meters}}}
}

func response(to uint64) *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: to}}}
}

// all reads a stream to its end.
func all[M any](stream grpc.ServerStreamingClient[M], err error) ([]*M, error) {
	if err != nil {
		return nil, err
	}
	var list []*M
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		list = append(list, m)
	}
}

// wantStatus compares an error's code and sentence; an empty sentence is any.
func wantStatus(t *testing.T, err error, code codes.Code, sentence string) {
	t.Helper()
	s := status.Convert(err)
	if s.Code() != code || sentence != "" && s.Message() != sentence {
		t.Errorf("%s: %s\nwant %s: %s", s.Code(), s.Message(), code, sentence)
	}
}

// get asks over HTTP, in one of its two versions.
func (s *sidecar) get(t *testing.T, path string, http2 bool) (int, string) {
	t.Helper()
	var p http.Protocols
	p.SetHTTP1(!http2)
	p.SetUnencryptedHTTP2(http2)
	transport := &http.Transport{Protocols: &p}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%s%s", s.addr, path), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

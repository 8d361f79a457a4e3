package admin_test

import (
	"strings"
	"testing"

	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/tests/fulldisk"
)

func TestALogThatCannotBeWrittenIsNotReady(t *testing.T) {
	s := serve(t, nil)
	put(t, s.log, request("m"))
	watch, err := healthgrpc.NewHealthClient(s.conn).Watch(t.Context(), &healthgrpc.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	wantHealth(t, watch, healthgrpc.HealthCheckResponse_SERVING)

	refill := fulldisk.Fill(t)
	d, err := auditlog.NewDraft(request("m"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.log.Append(d).Wait(t.Context()); err == nil {
		t.Fatal("an entry was written to a full disk")
	}
	code, body := s.get(t, "/readyz", false)
	if code != 503 || !strings.HasPrefix(body, "log is not writable: ") || strings.Count(body, "\n") != 1 {
		t.Errorf("readyz: %d %q", code, body)
	}
	if code, _ := s.get(t, "/livez", false); code != 200 {
		t.Errorf("livez: %d", code)
	}
	h, err := healthgrpc.NewHealthClient(s.conn).Check(t.Context(), &healthgrpc.HealthCheckRequest{})
	if err != nil || h.GetStatus() != healthgrpc.HealthCheckResponse_NOT_SERVING {
		t.Errorf("health %v, %v", h, err)
	}
	wantHealth(t, watch, healthgrpc.HealthCheckResponse_NOT_SERVING)
	r, err := s.client.GetStatus(t.Context(), &auditv1.GetStatusRequest{})
	if err != nil || r.GetWritable() || !strings.HasPrefix(r.GetNotWritableReason(), "log is not writable: ") || len(r.GetLogId()) != 32 {
		t.Errorf("status %v, %v", r, err)
	}

	refill()
	wantHealth(t, watch, healthgrpc.HealthCheckResponse_SERVING)
	if code, body := s.get(t, "/readyz", false); code != 200 {
		t.Errorf("readyz: %d %q", code, body)
	}
}

func wantHealth(t *testing.T, watch healthgrpc.Health_WatchClient, want healthgrpc.HealthCheckResponse_ServingStatus) {
	t.Helper()
	if h, err := watch.Recv(); err != nil || h.GetStatus() != want {
		t.Fatalf("watched health is %v, %v; want %v", h, err, want)
	}
}

package admin_test

import (
	"slices"
	"strings"
	"testing"

	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	reflectgrpc "google.golang.org/grpc/reflection/grpc_reflection_v1"

	auditv1 "verbatim/proto/verbatim/audit/v1"
)

func TestOnePortAnswersHTTPAndGRPC(t *testing.T) {
	s := serve(t, nil)
	put(t, s.log, request("m"))
	const counted = "\nverbatim_entries_total{kind=\"request\"} 1\n"
	for shown := ""; !strings.Contains(shown, counted); { // after it is acknowledged
		_, shown = s.get(t, "/metrics", false)
	}
	for _, http2 := range []bool{false, true} {
		for path, want := range map[string]struct {
			code int
			part string
		}{
			"/":        {200, "verbatim.audit.v1.AuditService"},
			"/livez":   {200, "ok\n"},
			"/readyz":  {200, "ok\n"},
			"/metrics": {200, counted},
			"/nothing": {404, "not found"},
		} {
			if code, body := s.get(t, path, http2); code != want.code || !strings.Contains(body, want.part) {
				t.Errorf("%s, HTTP/2 %t: %d %s", path, http2, code, body)
			}
		}
	}
	if _, err := s.client.GetStatus(t.Context(), &auditv1.GetStatusRequest{}); err != nil {
		t.Error(err)
	}
	h, err := healthgrpc.NewHealthClient(s.conn).Check(t.Context(), &healthgrpc.HealthCheckRequest{Service: "verbatim.audit.v1.AuditService"})
	if err != nil || h.GetStatus() != healthgrpc.HealthCheckResponse_SERVING {
		t.Errorf("health %v, %v", h, err)
	}
}

func TestReflectionNamesTheServices(t *testing.T) {
	s := serve(t, nil)
	stream, err := reflectgrpc.NewServerReflectionClient(s.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectgrpc.ServerReflectionRequest{
		MessageRequest: &reflectgrpc.ServerReflectionRequest_ListServices{},
	}); err != nil {
		t.Fatal(err)
	}
	m, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range m.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	for _, want := range []string{"verbatim.audit.v1.AuditService", "grpc.health.v1.Health"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s in %q", want, names)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err == nil {
		t.Error("the stream goes on after its end")
	}
}

package admin_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"google.golang.org/grpc/codes"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	reflectgrpc "google.golang.org/grpc/reflection/grpc_reflection_v1"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/admin"
)

const stopping = "the sidecar is stopping"

func TestStoppingEndsWhatWaits(t *testing.T) {
	arrived := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil { // only behind it the end of the connection is seen
			t.Error(err)
		}
		close(arrived)
		<-r.Context().Done()
	}))
	defer slow.Close()
	s := serve(t, func(o *admin.Options) { o.Targets = map[string]admin.Target{"slow": {URL: slow.URL}} })
	record(t, s, 1)
	hold, err := s.client.HoldSnapshot(t.Context(), &auditv1.HoldSnapshotRequest{})
	if err != nil {
		t.Fatal(err)
	}
	held, err := hold.Recv()
	if err != nil {
		t.Fatal(err)
	}
	replay, err := s.client.ReplayAuditLog(t.Context(), &auditv1.AuditReplayRequest{Target: "slow"})
	if err != nil {
		t.Fatal(err)
	}
	<-arrived
	watch, err := healthgrpc.NewHealthClient(s.conn).Watch(t.Context(), &healthgrpc.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	wantHealth(t, watch, healthgrpc.HealthCheckResponse_SERVING)

	if err := s.stop(); err != nil {
		t.Errorf("serve: %v", err)
	}
	if _, err := os.Stat(held.GetPath()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the snapshot outlives the server: %v", err)
	}
	_, err = hold.Recv()
	wantStatus(t, err, codes.Unavailable, stopping)
	list, err := all(replay, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, verdict := split(t, list); verdict.GetResult() != auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL ||
		verdict.GetReason() != "stopped at offset 1; 0 of 1 answers were compared" {
		t.Errorf("verdict of the replay under way: %v", verdict)
	}
	for err = nil; err == nil; { // it may be told NOT_SERVING first
		_, err = watch.Recv()
	}
	wantStatus(t, err, codes.Unavailable, stopping)
	if c, err := net.Dial("tcp", s.addr); err == nil {
		c.Close()
		t.Error("the port is open after the server stopped")
	}
}

func TestAClientThatHangsIsCutOff(t *testing.T) {
	s := serve(t, nil)
	stream, err := reflectgrpc.NewServerReflectionClient(s.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectgrpc.ServerReflectionRequest{MessageRequest: &reflectgrpc.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	half, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	if _, err := half.Write([]byte("GET /livez HTTP/1.1\r\nHo")); err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil {
		t.Errorf("serve: %v", err)
	}
	if _, err := stream.Recv(); err == nil {
		t.Error("the stream goes on after the server stopped")
	}
}

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	reflectiongrpc "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/tests/mesh"
)

const (
	adminEvents = 600 // enough for a checkpoint
	adminMeters = 20
)

// TestAdminPort asks a sidecar that records for everything that its admin port
// offers.
func TestAdminPort(t *testing.T) {
	fresh := mesh.StartTestPipeline(t, mesh.PipelineOptions{Name: "fresh"})
	strange := mesh.StartTestPipeline(t, mesh.PipelineOptions{Name: "strange", Misbehave: "tariff"})
	loop := newForwarder(t)
	stuck, asked := stuckPipeline(t)
	s := newSite(t, siteOptions{serve: []string{
		"--seal.max-age", "1h", "--replay.targets", "fresh=http://" + fresh.Addr,
		"--replay.targets", "strange=http://" + strange.Addr, "--replay.targets", "loop=" + loop.url(), "--replay.targets", "stuck=" + stuck,
	}})
	loop.start(t, s.envoy.Addr)
	s.load(mesh.LoadOptions{Connections: 8, Events: adminEvents, Meters: adminMeters})
	conn, err := grpc.NewClient("passthrough:///"+s.sidecar.Admin, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() }) //nolint:errcheck // it is given up
	audit := auditv1.NewAuditServiceClient(conn)
	entries := queryAll(t, audit, &auditv1.QueryEntriesRequest{Reveal: true})
	t.Run("query", func(t *testing.T) { checkQuery(t, audit, entries) })
	t.Run("status", func(t *testing.T) { checkStatus(t, s, audit, entries) })
	t.Run("probes", func(t *testing.T) { checkProbes(t, s, conn) })
	t.Run("metrics", func(t *testing.T) { checkMetrics(t, s, entries) })
	t.Run("replay", func(t *testing.T) { checkReplayAPI(t, audit, entries) })
	t.Run("replay into the capture", func(t *testing.T) { checkLoop(t, s, audit, entries) })
	t.Run("replay, and the sidecar stops", func(t *testing.T) { checkReplayStopped(t, s, audit, asked) })
}

// collect receives a stream to its end.
func collect[M any](t *testing.T, stream grpc.ServerStreamingClient[M], err error) ([]*M, error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
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

func queryAll(t *testing.T, audit auditv1.AuditServiceClient, r *auditv1.QueryEntriesRequest) []*auditv1.QueryEntriesResponse {
	t.Helper()
	stream, err := audit.QueryEntries(t.Context(), r)
	list, err := collect(t, stream, err)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// checkQuery: the chain holds in what is answered, a meter has its entries, and
// evidence is sent only when asked for.
func checkQuery(t *testing.T, audit auditv1.AuditServiceClient, entries []*auditv1.QueryEntriesResponse) {
	prev := make([]byte, 32)
	for i, e := range entries {
		stored := auditlog.Entry{Offset: e.GetStreamOffset(), PrevEntryHash: [32]byte(e.GetPrevEntryHash()), Raw: e.GetRawEventBytes()}
		hash := stored.Hash()
		if e.GetStreamOffset() != uint64(i) || !bytes.Equal(e.GetPrevEntryHash(), prev) || !bytes.Equal(e.GetEntryHash(), hash[:]) {
			t.Fatalf("entry %d does not follow from the one before it", i)
		}
		prev = hash[:]
	}
	of := queryAll(t, audit, &auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{MeterIds: []string{mesh.MeterID(7)}}})
	if len(of) != 2*adminEvents/adminMeters {
		t.Errorf("%d entries of one meter, want %d", len(of), 2*adminEvents/adminMeters)
	}
	for _, e := range of {
		if len(e.GetRawEventBytes()) > 0 || e.GetEvent().GetRequest() == nil && e.GetEvent().GetResponse() == nil {
			t.Fatalf("entry %d of a meter, unrevealed: %v", e.GetStreamOffset(), e)
		}
	}
	behind := uint64(len(entries))
	stream, err := audit.QueryEntries(t.Context(), &auditv1.QueryEntriesRequest{Selection: &auditv1.Selection{StartOffset: &behind}})
	if _, err := collect(t, stream, err); status.Code(err) != codes.OutOfRange || !strings.Contains(err.Error(), "bound lies outside the log") {
		t.Errorf("a query behind the newest entry: %v", err)
	}
}

func checkStatus(t *testing.T, s *site, audit auditv1.AuditServiceClient, entries []*auditv1.QueryEntriesResponse) {
	r, err := audit.GetStatus(t.Context(), &auditv1.GetStatusRequest{})
	newest := entries[len(entries)-1]
	if err != nil || r.GetEntries() != uint64(len(entries)) || !r.GetWritable() || r.GetOpenRequests() != 0 || len(r.GetLosses().GetRecorded()) != 0 ||
		!bytes.Equal(r.GetChainRoot(), newest.GetEntryHash()) || !bytes.Equal(r.GetLogId(), entries[0].GetEvent().GetGenesis().GetLogId()) {
		t.Errorf("status %v, %v, of %d entries", r, err, len(entries))
	}
	for _, a := range []string{s.pipeline.Addr, s.envoy.Addr} {
		if !slices.Contains(r.GetCapturedAddresses(), a) {
			t.Errorf("%s is not among the captured addresses %v", a, r.GetCapturedAddresses())
		}
	}
	stream, err := audit.ListCheckpoints(t.Context(), &auditv1.ListCheckpointsRequest{})
	list, err := collect(t, stream, err)
	if err != nil || len(list) == 0 || uint64(len(list)) != r.GetCheckpoints() {
		t.Fatalf("%d checkpoints, %v; the status says %d", len(list), err, r.GetCheckpoints())
	}
	for i, c := range list {
		e := entries[c.GetStreamOffset()]
		if c.GetStreamOffset() != uint64(1000*(i+1)) || !bytes.Equal(c.GetRoot(), e.GetEntryHash()) || e.GetEvent().GetCheckpoint() == nil {
			t.Errorf("checkpoint %d at %d: %v", i, c.GetStreamOffset(), c)
		}
	}
}

// checkProbes: health, reflection, and what a kubelet asks.
func checkProbes(t *testing.T, s *site, conn *grpc.ClientConn) {
	name := auditv1.AuditService_ServiceDesc.ServiceName
	for _, service := range []string{"", name} {
		r, err := healthgrpc.NewHealthClient(conn).Check(t.Context(), &healthgrpc.HealthCheckRequest{Service: service})
		if err != nil || r.GetStatus() != healthgrpc.HealthCheckResponse_SERVING {
			t.Errorf("health of %q: %v, %v", service, r, err)
		}
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if code, body := getPage(t, "http://"+s.sidecar.Admin+path); code != 200 || body != "ok\n" {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := reflectiongrpc.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ask := &reflectiongrpc.ServerReflectionRequest{MessageRequest: &reflectiongrpc.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(ask); err != nil {
		t.Fatal(err)
	}
	r, err := stream.Recv()
	if err != nil || !strings.Contains(r.String(), name) {
		t.Errorf("reflection lists %v, %v", r, err)
	}
}

// checkMetrics: the entries that became durable since the start, by kind.
func checkMetrics(t *testing.T, s *site, entries []*auditv1.QueryEntriesResponse) {
	counts := map[string]int{}
	for _, e := range entries[1:] { // the genesis is init's
		kind, _, err := auditlog.Peek(e.GetRawEventBytes())
		if err != nil {
			t.Fatal(err)
		}
		counts[kind.String()]++
	}
	if counts["request"] != adminEvents || counts["response"] != adminEvents || counts["start"] != 1 || counts["checkpoint"] != 1 {
		t.Errorf("the log holds %v", counts)
	}
	_, page := getPage(t, "http://"+s.sidecar.Admin+"/metrics")
	for _, kind := range []string{"genesis", "start", "request", "response", "abort", "gap", "checkpoint"} {
		if line := fmt.Sprintf("verbatim_entries_total{kind=%q} %d\n", kind, counts[kind]); !strings.Contains(page, line) {
			t.Errorf("the metrics do not say %s", line)
		}
	}
	for _, name := range []string{"turn", "disk", "pipeline"} {
		if !strings.Contains(page, "\nverbatim_"+name+"_wait_seconds_count ") || strings.Contains(page, "\nverbatim_"+name+"_wait_seconds_count 0\n") {
			t.Errorf("no time spent waiting for the %s was measured", name)
		}
	}
}

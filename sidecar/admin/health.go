package admin

import (
	"context"
	"time"

	"google.golang.org/grpc/health"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/auditlog"
)

// followEvery is how soon a watcher learns of a change.
const followEvery = 500 * time.Millisecond

// healthService answers grpc.health.v1: SERVING while the log can be written,
// for the server as a whole ("") and for AuditService.
type healthService struct {
	*health.Server
	log *auditlog.Log
}

func newHealth(log *auditlog.Log) *healthService {
	h := &healthService{Server: health.NewServer(), log: log}
	h.refresh()
	return h
}

// Check says how it is at this moment.
func (h *healthService) Check(ctx context.Context, r *healthgrpc.HealthCheckRequest) (*healthgrpc.HealthCheckResponse, error) {
	h.refresh()
	return h.Server.Check(ctx, r)
}

func (h *healthService) refresh() {
	state := healthgrpc.HealthCheckResponse_SERVING
	if h.log.Writable() != nil {
		state = healthgrpc.HealthCheckResponse_NOT_SERVING
	}
	h.SetServingStatus("", state)
	h.SetServingStatus(auditv1.AuditService_ServiceDesc.ServiceName, state)
}

// follow keeps watchers informed until ctx ends or stop is closed; then they
// are told NOT_SERVING.
func (h *healthService) follow(ctx context.Context, stop <-chan struct{}) {
	defer h.Shutdown()
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			h.refresh()
		case <-ctx.Done():
			return
		case <-stop:
			return
		}
	}
}

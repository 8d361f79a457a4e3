package interop

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"verbatim/tests/mesh"
)

// cases are those of the client, see
// https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md, without
// those that need cloud credentials, and without pick_first_unary, which needs a server
// that is deployed with an id.
var cases = []string{
	"empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
	"timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response", "status_code_and_message",
	"special_status_message", "custom_metadata", "unimplemented_method", "unimplemented_service",
	"rpc_soak", "channel_soak", "orca_per_rpc", "orca_oob",
}

// caseTimeout bounds one case; most take milliseconds.
const caseTimeout = 30 * time.Second

// routeTimeout is Envoy's. It ends the one call that never ends by itself, that for
// load reports beside the calls.
const routeTimeout = 2 * time.Second

// runCase runs the client's case against an address, and returns what it printed and
// whether it passed.
func runCase(t *testing.T, name, address string) (output string, passed bool) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), caseTimeout)
	defer cancel()
	args := []string{"--server_host=" + host, "--server_port=" + port, "--test_case=" + name}
	if strings.HasPrefix(name, "orca_") {
		args = append(args, `--service_config_json={"loadBalancingConfig":[{"test_backend_metrics_load_balancer":{}}]}`)
	}
	out, code, err := mesh.Run(ctx, mesh.Binary(t, "google.golang.org/grpc/interop/client"), args...)
	return out, err == nil && code == 0
}

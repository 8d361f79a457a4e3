package filter_test

import (
	"path/filepath"
	"testing"
	"time"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

// TestUpstreamFailsClosed: behind the router an answer of the sidecar's is ignored,
// so a request that is not recorded gets none but that of the route's timeout. It
// must not reach the pipeline.
func TestUpstreamFailsClosed(t *testing.T) {
	for _, protocol := range []filter.Protocol{filter.H1, filter.H2} {
		t.Run(protocol.String(), func(t *testing.T) {
			pipeline, calls := startEcho(t, protocol)
			envoy := mesh.StartTestEnvoy(t, mesh.EnvoyOptions{Dir: t.TempDir(), Bootstrap: filter.Bootstrap{
				Pipeline: pipeline, PipelineProtocol: protocol, RouteTimeout: 2 * time.Second,
				Capture: &filter.Capture{Sidecar: filepath.Join(t.TempDir(), "nobody.sock"), Position: filter.Upstream},
			}})
			status, body := post(t, client(t, protocol), envoy.Addr+"/", []byte("x"))
			t.Logf("status %d, body %q", status, body)
			if status < 500 || calls() != 0 {
				t.Errorf("status %d and %d calls, want a 5xx and none", status, calls())
			}
		})
	}
}

package interop

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(mesh.Main(m)) }

// alone starts Envoy before the server, without the capture.
func alone(t *testing.T, server string) *mesh.Envoy {
	t.Helper()
	return mesh.StartTestEnvoy(t, mesh.EnvoyOptions{Bootstrap: filter.Bootstrap{Pipeline: server, PipelineProtocol: filter.H2, RouteTimeout: routeTimeout}})
}

// captured is an Envoy whose traffic is recorded.
type captured struct {
	log     string
	sidecar *mesh.Sidecar
	envoy   *mesh.Envoy
}

func capture(t *testing.T, server string, o filter.Capture, serve ...string) captured {
	t.Helper()
	dir, err := os.MkdirTemp("", "vi") //nolint:usetesting // t.TempDir's names are too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	c := captured{log: filepath.Join(dir, "log")}
	if err := mesh.InitLog(t.Context(), mesh.Binary(t, "./cmd/verbatim"), c.log); err != nil {
		t.Fatal(err)
	}
	o.Sidecar = filepath.Join(dir, "s.sock")
	c.sidecar = mesh.StartTestSidecar(t, mesh.SidecarOptions{
		Log: c.log, Socket: o.Sidecar, Pipeline: server, Args: append([]string{
			"--pipeline.protocol", "h2",
			// gRPC for Go sends trailers in the order of a map: this one stands before or behind others.
			"--ignore.headers", "date,x-request-id,endpoint-load-metrics-bin",
		}, serve...),
	})
	c.envoy = mesh.StartTestEnvoy(t, mesh.EnvoyOptions{
		Dir: t.TempDir(), Bootstrap: filter.Bootstrap{Pipeline: server, PipelineProtocol: filter.H2, RouteTimeout: routeTimeout, Capture: &o},
	})
	return c
}

// stop ends Envoy and then the sidecar, cleanly.
func (c captured) stop(t *testing.T) {
	t.Helper()
	if err := c.envoy.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := c.sidecar.Stop(); err != nil {
		out, _ := os.ReadFile(c.sidecar.LogPath)
		t.Fatalf("stop sidecar: %v\n%s", err, out)
	}
}

package doctor_test

import (
	"net"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"verbatim/filter"
	"verbatim/filter/doctor"
	"verbatim/tests/mesh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(mesh.Main(m)) }

// TestARunningEnvoy asks a real one, whose pipeline can be reached from elsewhere.
func TestARunningEnvoy(t *testing.T) {
	open, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	_, port, err := net.SplitHostPort(open.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "s")
	envoy := mesh.StartTestEnvoy(t, mesh.EnvoyOptions{Bootstrap: filter.Bootstrap{
		Pipeline: net.JoinHostPort("127.0.0.1", port), Capture: &filter.Capture{Sidecar: socket},
	}})
	c, err := doctor.Ask(t.Context(), envoy.AdminURL)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Running || c.Version == "" {
		t.Errorf("running %v, version %q", c.Running, c.Version)
	}
	s := settings
	s.Socket, s.Pipeline = socket, ""
	if got := doctor.Examine(c, s); len(got) > 0 {
		t.Errorf("found %v in our own configuration", got)
	}
	if s.Listening, err = doctor.Listening(); err != nil {
		t.Fatal(err)
	}
	if got := doctor.Examine(c, s); len(got) != 1 || got[0].Code != "pipeline-reachable" {
		t.Errorf("found %v, want pipeline-reachable alone", got)
	}
	if !slices.ContainsFunc(s.Listening, func(a string) bool { return a == envoy.Addr }) {
		t.Errorf("Envoy's %s is not among %v", envoy.Addr, s.Listening)
	}
}

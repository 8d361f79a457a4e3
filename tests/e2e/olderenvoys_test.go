package e2e

import (
	"testing"

	"verbatim/tests/mesh"
)

// TestOlderEnvoys runs the wire tests that differ the most between versions with each older Envoy. All that must hold
// with them is in `make matrix`.
func TestOlderEnvoys(t *testing.T) {
	envoys, err := mesh.OlderEnvoys()
	if err != nil {
		t.Fatal(err)
	}
	if len(envoys) < 2 {
		t.Errorf("there are no files of requirements for two older Envoys: %v", envoys)
	}
	for name, path := range envoys {
		t.Run(name, func(t *testing.T) {
			t.Setenv(mesh.EnvoyVariable, path)
			t.Run("requests", func(t *testing.T) { wireRequests(t, beforeRouter) })
			t.Run("responses", func(t *testing.T) { wireResponses(t, beforeRouter) })
			t.Run("HTTP/2", func(t *testing.T) { wireHTTP2(t, beforeRouter) })
			t.Run("HTTP/2, behind the router", func(t *testing.T) { wireHTTP2(t, behindRouter) })
			t.Run("internal client", func(t *testing.T) { internalClient(t, beforeRouter) })
		})
	}
}

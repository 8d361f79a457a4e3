package interop

import (
	"strings"
	"testing"

	"verbatim/filter"
	"verbatim/tests/mesh"
)

// TestStrict runs every case through Envoy alone and with the capture, and replays
// what was recorded into a fresh server.
func TestStrict(t *testing.T) { inProfile(t, filter.Capture{}) }

// TestObserve does the same without holding anything up.
func TestObserve(t *testing.T) {
	inProfile(t, filter.Capture{Profile: filter.Observe}, "--profile", "observe", "--ordering", "none")
}

func inProfile(t *testing.T, o filter.Capture, serve ...string) {
	t.Helper()
	server := startServer(t)
	plain := alone(t, server)
	with := capture(t, server, o, serve...)
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			out, passesAlone := runCase(t, name, plain.Addr)
			if !passesAlone {
				// A call's end may race with its reset, without the capture too.
				out, passesAlone = runCase(t, name, plain.Addr)
			}
			if !passesAlone {
				t.Logf("does not pass through Envoy alone: %s", out)
			}
			if out, passes := runCase(t, name, with.envoy.Addr); passes != passesAlone {
				t.Errorf("passes %v with the capture, %v without: %s", passes, passesAlone, out)
			}
		})
	}
	with.stop(t)
	out, code, err := mesh.Run(t.Context(), mesh.Binary(t, "./cmd/verbatim"), "replay", "--log", with.log, "--target", "h2c://"+startServer(t),
		// What was broken off is waited for that long.
		"--timeout", "2s")
	if err != nil || code != 0 || !strings.Contains(out, "\nVERIFIED: ") {
		t.Errorf("replay: exit %d, %v: %s", code, err, out)
	}
}

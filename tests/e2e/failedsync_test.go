package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/tests/mesh"
)

// TestFailedSync: what was written, but whose sync failed, is refused and found in
// the log all the same when it is opened again. Such a request is closed as never
// let through, and the pipeline has not got it.
func TestFailedSync(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("%v: run deploy/setup.sh test", err)
	}
	s, c := prepareSite(t, siteOptions{}), newClient()
	s.startEnvoy()
	// A batch that fails may hold answers alone, so there may be need of several.
	for range 20 {
		// The 40th fdatasync of each thread fails.
		s.sidecar = mesh.StartTestSidecar(t, mesh.SidecarOptions{
			Log: s.log, Socket: s.socket(), Pipeline: s.options.upstream,
			Wrap: []string{
				strace, "-D", "-f", "--seccomp-bpf", "-e", "signal=none", "-e", "trace=fdatasync",
				"-e", "inject=fdatasync:error=EIO:when=40", "-o", filepath.Join(s.dir, "trace"),
			},
		})
		loadUntilRefused(s, c)
		awaitReady(s, http.StatusOK, "ok")
		// The syncs of a clean stop might fail too.
		s.sidecar.Kill()
		if closedAs(recordedExchanges(t, s.log), logv1.Delivered_DELIVERED_NO) > 0 {
			break
		}
	}
	s.startSidecar()
	c.finish(s)
	s.stop()
	checkDelivered(t, s, c, s.log)
	if closedAs(recordedExchanges(t, s.log), logv1.Delivered_DELIVERED_NO) == 0 {
		t.Error("no request is closed as never let through")
	}
}

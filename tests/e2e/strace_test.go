package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"verbatim/tests/mesh"
)

// tracedCalls are all calls by which the sidecar may write or sync.
const tracedCalls = "write,writev,pwrite64,pwritev,pwritev2,sendmsg,sendmmsg,sendto,fdatasync,fsync"

// TestStraceDurableBeforeReleased looks at the sidecar from outside, at its system
// calls: no reply that releases a request to the pipeline, or an answer to the
// client, is written to Envoy's socket before an fdatasync has returned that began
// after the whole of its entry was written to RocksDB's WAL.
//
// An entry is found in the WAL by its stored bytes, the reply that releases its
// request by the seed, the one that releases its answer by the HTTP/2 stream on
// which that seed was sent. So each reply is held against its own entry, and
// exchanges may overlap.
func TestStraceDurableBeforeReleased(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatalf("%v: run deploy/setup.sh test", err)
	}
	const events = 1000
	s := prepareSite(t, siteOptions{})
	trace := filepath.Join(s.dir, "trace")
	s.sidecar = mesh.StartTestSidecar(t, mesh.SidecarOptions{
		Log: s.log, Socket: s.socket(), Pipeline: s.options.upstream,
		// -D: the sidecar is the child of this process and strace its grandchild, so
		// that a signal reaches the sidecar. Strings are whole, and in hexadecimal.
		Wrap: []string{strace, "-D", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "1048576", "-e", "signal=none", "-e", "trace=" + tracedCalls, "-o", trace},
	})
	s.startEnvoy()
	s.load(mesh.LoadOptions{Connections: 8, Events: events, Meters: 40})
	// It returns when nobody holds the output any more, strace neither.
	s.stop()
	calls := readTrace(t, trace)
	list := recordedExchanges(t, s.log)
	checked, violations := checkReleases(calls, list)
	if checked != 2*events {
		t.Errorf("%d releases checked of %d exchanges", checked, events)
	}
	for _, v := range violations {
		t.Error(v)
	}
	unsynced := calls[:0:0]
	for _, c := range calls {
		if c.name != "fdatasync" && c.name != "fsync" {
			unsynced = append(unsynced, c)
		}
	}
	if _, violations := checkReleases(unsynced, list); len(violations) != checked {
		t.Errorf("the same trace without a sync has %d violations, want %d", len(violations), checked)
	}
}

func readTrace(t *testing.T, path string) []straceCall {
	t.Helper()
	trace, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	calls, exited, err := parseStrace(string(trace))
	if err != nil {
		t.Fatal(err)
	}
	if !exited {
		t.Fatal("the trace does not end with the sidecar's exit")
	}
	t.Logf("%d calls traced", len(calls))
	return calls
}

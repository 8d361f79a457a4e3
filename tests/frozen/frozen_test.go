package frozen

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"go.uber.org/goleak"

	"verbatim/tests/mesh"
	"verbatim/tests/soroban"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(mesh.Main(m)) }

// service is a program that answers readings, and the line that says where.
type service struct {
	command []string
	ready   *regexp.Regexp
}

var listening = regexp.MustCompile(`^listening (\S+)$`)

func python(t *testing.T) service {
	t.Helper()
	root, err := mesh.Root()
	if err != nil {
		t.Fatal(err)
	}
	uvicorn := filepath.Join(root, ".build", "python", "bin", "uvicorn")
	if _, err := os.Stat(uvicorn); err != nil {
		t.Fatalf("%v: run deploy/setup.sh test", err)
	}
	return service{
		command: []string{uvicorn, "--app-dir", ".", "--port", "0", "service:app"},
		ready:   regexp.MustCompile(`Uvicorn running on http://(\S+)`),
	}
}

func node(t *testing.T) service {
	t.Helper()
	needs(t, "node")
	return service{command: []string{"node", "service.mjs"}, ready: listening}
}

// java compiles under the real clock: javac looks at the clock a hundred thousand
// times.
func java(t *testing.T) service {
	t.Helper()
	needs(t, "javac")
	classes := t.TempDir()
	if out, code, err := mesh.Run(t.Context(), "javac", "-d", classes, "Service.java"); err != nil || code != 0 {
		t.Fatalf("javac: exit %d, %v: %s", code, err, out)
	}
	return service{command: []string{"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dsun.net.httpserver.nodelay=true", "-cp", classes, "Service"}, ready: listening}
}

func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		soroban.LeaveOut(t, err.Error())
	}
}

// TestServices: what was recorded under a frozen clock replays under one, and under
// the system's clock it does not.
func TestServices(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T) service{"Python": python, "Node": node, "Java": java} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, prepare(t))
			s.record()
			s.wantRecordedTimes()
			s.wantVerified()
			s.wantNondeterministic()
		})
	}
}

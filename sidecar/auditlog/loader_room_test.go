package auditlog

import (
	"os"
	"os/exec"
	"os/signal"
	"testing"

	"golang.org/x/sys/unix"
)

// TestALoaderThatDoesNotBeginLeavesNothing: the next attempt needs an empty directory.
func TestALoaderThatDoesNotBeginLeavesNothing(t *testing.T) {
	const own = "VERBATIM_TEST_FULL_DISK"
	if os.Getenv(own) == "" { // the process that runs all tests writes a file, too
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), own+"=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	dir := t.TempDir()
	signal.Ignore(unix.SIGXFSZ) // a write then fails with EFBIG
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	_, err := NewLoader(dir, LoadOptions{})
	if bad := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); bad != nil {
		t.Fatal(bad)
	}
	if err == nil {
		t.Fatal("a log was begun on a full disk")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	l, err := NewLoader(dir, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Abandon(); err != nil {
		t.Fatal(err)
	}
}

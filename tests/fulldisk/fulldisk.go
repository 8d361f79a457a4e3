// Package fulldisk makes a disk full for one process: none of its files grows. It says
// nothing of what a file system does otherwise when it is full.
package fulldisk

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Fill lets no file of this process grow, behind its first octet, until refill is called,
// or the test ends: a write then fails with EFBIG.
func Fill(t testing.TB) (refill func()) {
	t.Helper()
	signal.Ignore(unix.SIGXFSZ)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	set := func(limit unix.Rlimit) {
		t.Helper()
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
	}
	set(unix.Rlimit{Cur: 1, Max: before.Max})
	refill = func() { set(before) }
	t.Cleanup(refill)
	return refill
}

// own tells a process that it runs one test alone.
const own = "VERBATIM_TEST_FULL_DISK"

// Alone calls f in a process of its own, which runs the calling test and no other: the
// one that runs all tests writes files, too.
func Alone(t *testing.T, f func()) {
	t.Helper()
	if os.Getenv(own) != "" {
		f()
		return
	}
	only := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run="+only)
	c.Env = append(os.Environ(), own+"=1")
	if out, err := c.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name()+" ")) {
		t.Errorf("%v: %s", err, out)
	}
}

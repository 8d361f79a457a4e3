package soroban

import (
	"errors"
	"os"
	"testing"
)

// demanded is the environment variable that makes a missing node a failure.
const demanded = "VERBATIM_DEMAND_SOROBAN"

// Wanted says that tests with a node are to run: there is one, or the environment
// demands it.
func Wanted() bool {
	_, err := os.Stat(Program())
	return err == nil || os.Getenv(demanded) != ""
}

// Start starts a node for a test, and stops it at the test's end. Where there is no
// node the test is left out, unless the environment demands it; make test says so.
func Start(t testing.TB, o Options) *Node {
	t.Helper()
	n, err := Run(t.Context(), o)
	if errors.Is(err, ErrNotBuilt) {
		LeaveOut(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return n
}

// LeaveOut leaves a test out for what this machine lacks, unless the environment
// demands it.
func LeaveOut(t testing.TB, why string) {
	t.Helper()
	if os.Getenv(demanded) != "" {
		t.Fatal(why)
	}
	t.Skip(why) //nolint:forbidigo // Rust and Node.js are not everywhere; CI demands them, and make test says what was left out
}

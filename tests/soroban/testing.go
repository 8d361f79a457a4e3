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
	if errors.Is(err, ErrNotBuilt) && os.Getenv(demanded) == "" {
		t.Skip(err) //nolint:forbidigo // a Rust toolchain is not everywhere; CI demands it
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return n
}

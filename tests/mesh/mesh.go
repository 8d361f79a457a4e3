// Package mesh starts what a captured pipeline lives among: a real Envoy, the
// example pipeline, any other program, and load.
//
// It guarantees that a started program dies with the process that started it,
// is not reached by the terminal's Ctrl-C, and listens on a port that the
// kernel chose. A context given to a Start function bounds the start alone:
// who starts a program stops it. Load goes to loopback addresses only.
package mesh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// pollInterval is how often a condition is looked at.
const pollInterval = 10 * time.Millisecond

// Root returns the repository's root: the nearest directory, from the working
// directory upwards, that holds this module's go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find repository: %w", err)
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(mod, []byte("module verbatim\n")) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find repository: no go.mod of module verbatim here or above: run this inside the repository")
		}
		dir = parent
	}
}

// Poll calls condition until it returns true, an error, or ctx ends. It says
// what it waited for when ctx ends first.
func Poll(ctx context.Context, what string, condition func() (bool, error)) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		done, err := condition()
		if err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

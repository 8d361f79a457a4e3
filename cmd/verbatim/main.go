// Command verbatim records what passes through Envoy to a pipeline in a
// hash-chained log, checks that log, and replays it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	_ "verbatim/cmd/verbatim/startup"
)

func main() { os.Exit(run()) }

// run is main without the exit, for script tests.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

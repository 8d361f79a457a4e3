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

// standardOutput is for what a command was asked for alone.
var standardOutput = os.Stdout

// run is main without the exit, for script tests.
func run() int {
	// A library that prints a warning, as the driver for Google's storage does, is not to
	// print it into evidence, or into JSON.
	os.Stdout = os.Stderr
	// A reader of the output who leaves, as head does, ends a command by the error of
	// writing it and not at once: what it made for itself alone has to be removed. What
	// it starts is not to ignore the signal, so it isn't ignored here.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return execute(ctx, os.Args[1:], standardOutput, os.Stderr)
}

// Scribe writes a log and says on its standard output what was acknowledged, and it
// examines logs: for tests that hurt a log and want a process that may die.
//
// Usage:
//
//	scribe create DIR    make a log
//	scribe record DIR    open it, write entries of all kinds, close it
//	scribe abandon DIR   the same, but end without closing
//	scribe check DIR     examine it, knowing what was said (from standard input)
//	scribe flips DIR     flip bits (from standard input) and examine each time
//
// Exit status: 0 done; 1 examined, and something is wrong; 3 refused, with a
// sentence; 4 stuck. Anything else is a crash.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// limit is when a scribe is stuck: nothing that it does takes a tenth of it.
const limit = 2 * time.Minute

const (
	exitWrong   = 1
	exitRefused = 3
	exitStuck   = 4
)

// errRefused: the log said no, with a sentence that was printed.
var errRefused = errors.New("refused")

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	err := run(ctx, os.Args[1:])
	stuck := ctx.Err() != nil
	cancel()
	switch {
	case stuck:
		fmt.Fprintln(os.Stderr, "scribe: stuck:", err)
		os.Exit(exitStuck)
	case errors.Is(err, errRefused):
		os.Exit(exitRefused)
	case err != nil:
		fmt.Println("wrong:", err)
		os.Exit(exitWrong)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: scribe create|record|abandon|check|flips DIR")
	}
	dir := args[1]
	switch args[0] {
	case "create":
		return create(dir, words{os.Stdout})
	case "record":
		return record(ctx, dir, true, words{os.Stdout})
	case "abandon":
		return record(ctx, dir, false, words{os.Stdout})
	case "check":
		return check(ctx, dir, os.Stdin)
	case "flips":
		return flips(ctx, dir, os.Stdin, words{os.Stdout})
	}
	return fmt.Errorf("unknown command %s", args[0])
}

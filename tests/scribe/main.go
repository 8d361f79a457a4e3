// Scribe writes a log and says on its standard output what was acknowledged, and it
// examines logs: for tests that hurt a log and want a process that may die.
//
// Usage:
//
//	scribe create DIR    make a log
//	scribe record DIR    open it, write entries of all kinds, close it
//	scribe abandon DIR   the same, but end without closing
//	scribe prune DIR     open it, write while it is pruned, close it
//	scribe archive DIR   archive it in DIR/../archive, and remove it
//	scribe restore DIR   make it of that archive
//	scribe unformat DIR  move it to DIR/../damaged, and remove its file FORMAT
//	scribe uncurrent DIR the same with RocksDB's file CURRENT
//	scribe repair DIR    make it of what is left there
//	scribe check DIR CMD examine it, knowing what was said (from standard input), and
//	                     that command CMD was under way
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

// commands write, and say what was acknowledged.
var commands = map[string]func(ctx context.Context, dir string, out words) error{
	"create":    func(_ context.Context, dir string, out words) error { return create(dir, out) },
	"record":    func(ctx context.Context, dir string, out words) error { return record(ctx, dir, true, out) },
	"abandon":   func(ctx context.Context, dir string, out words) error { return record(ctx, dir, false, out) },
	"prune":     prune,
	"archive":   toArchive,
	"restore":   restore,
	"unformat":  func(_ context.Context, dir string, out words) error { return damage(dir, "FORMAT", out) },
	"uncurrent": func(_ context.Context, dir string, out words) error { return damage(dir, "db/CURRENT", out) },
	"repair":    repair,
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 3 && args[0] == "check":
		return check(ctx, args[1], args[2], os.Stdin)
	case len(args) == 2 && args[0] == "flips":
		return flips(ctx, args[1], os.Stdin, words{os.Stdout})
	case len(args) == 2 && commands[args[0]] != nil:
		return commands[args[0]](ctx, args[1], words{os.Stdout})
	}
	return errors.New("usage: scribe COMMAND DIR, or scribe check DIR COMMAND")
}

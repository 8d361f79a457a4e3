package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress returns a function that shows how many of total are done: a bar on a
// terminal, else a line for each tenth.
func progress(out io.Writer, terminal bool, total int) func(done int) {
	if terminal {
		bar := progressbar.NewOptions(total,
			progressbar.OptionSetWriter(out),
			progressbar.OptionSetDescription("  events"),
			progressbar.OptionSetWidth(40),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("events"),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionOnCompletion(func() { fmt.Fprintln(out) }),
		)
		return func(done int) { _ = bar.Set(done) } // a terminal that is gone is no reason to stop
	}
	shown := 0
	return func(done int) {
		if tenths := done * 10 / total; tenths > shown {
			shown = tenths
			fmt.Fprintf(out, "  %3d%%  %d of %d events\n", tenths*10, done, total)
		}
	}
}

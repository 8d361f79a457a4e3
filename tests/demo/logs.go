package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// logLines is how much of each program's log is shown after a failure.
const logLines = 10

// showLogs prints the ends of all programs' logs: they are about to go.
func (d *demo) showLogs() {
	var paths []string
	for _, pattern := range []string{"*.log", "*/*.log"} {
		found, _ := filepath.Glob(filepath.Join(d.dir, pattern)) // the patterns are well formed
		paths = append(paths, found...)
	}
	slices.Sort(paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			fmt.Fprintln(d.errOut, err)
			continue
		}
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		lines = lines[max(0, len(lines)-logLines):]
		fmt.Fprintf(d.errOut, "\nThe end of %s:\n%s\n", path, bytes.Join(lines, []byte("\n")))
	}
}

package mesh

import (
	"bytes"
	"io"
	"os"
	"regexp"
)

// tailBytes is how much of a log an error shows.
const tailBytes = 2048

// output writes what a program prints to its log and looks for the ready line.
// One goroutine writes to it: that of exec.Cmd.
type output struct {
	log     io.Writer
	ready   *regexp.Regexp // nil once matched
	line    []byte         // the unfinished last line, while ready is not nil
	matched chan []string  // gets one match at most
}

func newOutput(log io.Writer, ready *regexp.Regexp) *output {
	return &output{log: log, ready: ready, matched: make(chan []string, 1)}
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.log.Write(p)
	if o.ready != nil {
		o.scan(p[:n])
	}
	return n, err
}

func (o *output) scan(p []byte) {
	o.line = append(o.line, p...)
	for {
		line, rest, whole := bytes.Cut(o.line, []byte("\n"))
		if !whole {
			return
		}
		if match := o.ready.FindStringSubmatch(string(line)); match != nil {
			o.matched <- match
			o.ready, o.line = nil, nil
			return
		}
		o.line = rest
	}
}

// tail returns the end of a log file, for an error.
func tail(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	if len(data) > tailBytes {
		data = data[len(data)-tailBytes:]
	}
	return string(bytes.TrimSpace(data))
}

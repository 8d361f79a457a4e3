package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// openTerminal opens a pseudoterminal: what is written to the one shows at the other.
func openTerminal(t *testing.T) (terminal, shown *os.File) {
	t.Helper()
	shown, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shown.Close() })
	fd := int(shown.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return terminal, shown
}

// TestProgressShowsTheOffsetInFlight, also of a request that hangs behind one that was
// answered at once, and how long the rest takes at that rate.
func TestProgressShowsTheOffsetInFlight(t *testing.T) {
	c, err := output.Canonical(output.Message{Status: 200, Headers: []*logv1.Header{header("content-length", "0")}}, output.DefaultIgnorePolicy())
	if err != nil {
		t.Fatal(err)
	}
	var events []*logv1.Event
	for i := range uint64(3) {
		events = append(events, request([]string{"m1"}, "GET", "/v1/report", nil),
			&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{RequestOffset: 1 + 2*i, Output: c.Output}}})
	}
	dir := recordLog(t, events)
	seen, arrived := make(chan struct{}), make(chan struct{}, 3)
	url := serveHTTP(t, func(_ http.ResponseWriter, q *http.Request) {
		if arrived <- struct{}{}; len(arrived) == 2 {
			select {
			case <-seen:
			case <-q.Context().Done():
			}
		}
	})
	terminal, shown := openTerminal(t)
	var all bytes.Buffer
	var reading sync.WaitGroup
	reading.Go(func() { // ends when the terminal is closed
		inFlight := regexp.MustCompile(`replaying, at offset 3 .*\(1/3, [^)]*\) \[[^:\]]+:[^:\]]+\]`)
		told := false
		piece := make([]byte, 4096)
		for {
			n, err := shown.Read(piece)
			if err != nil {
				break
			}
			all.Write(piece[:n])
			if !told && inFlight.Match(all.Bytes()) {
				told = true
				close(seen)
			}
		}
		if !told {
			t.Errorf("the terminal shows %q", all.String())
			close(seen)
		}
	})
	code := execute(t.Context(), []string{"replay", "--log", dir, "--target", url, "--timeout", "20s"}, io.Discard, terminal)
	_ = terminal.Close()
	reading.Wait()
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

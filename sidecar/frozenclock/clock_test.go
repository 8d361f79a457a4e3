package frozenclock_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"verbatim/sidecar/frozenclock"
)

func newClock(t *testing.T, ms uint64) *frozenclock.Clock {
	t.Helper()
	c, err := frozenclock.Open(filepath.Join(t.TempDir(), "clock"))
	if err != nil {
		t.Fatal(err)
	}
	set(t, c, ms)
	return c
}

func set(t *testing.T, c *frozenclock.Clock, ms uint64) {
	t.Helper()
	if err := c.Set(ms); err != nil {
		t.Fatal(err)
	}
}

// watcher is a program with a frozen clock that tells the time when it is asked.
type watcher struct {
	t   *testing.T
	ask io.Writer
	say *bufio.Scanner
}

func watch(t *testing.T, c *frozenclock.Clock, program string, environ ...string) *watcher {
	t.Helper()
	library, err := frozenclock.Find("")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", "-u", "-c", program)
	cmd.Env = library.Environment(append(os.Environ(), environ...), c)
	cmd.Stderr = os.Stderr
	ask, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	say, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = ask.Close() // ends the program
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &watcher{t: t, ask: ask, say: bufio.NewScanner(say)}
}

// look asks once and returns the answer.
func (w *watcher) look() string {
	w.t.Helper()
	if _, err := fmt.Fprintln(w.ask); err != nil {
		w.t.Fatal(err)
	}
	if !w.say.Scan() {
		w.t.Fatalf("the program said nothing: %v", w.say.Err())
	}
	return w.say.Text()
}

const tellsTime = `
import sys, time
for _ in sys.stdin:
    print(time.time_ns())
`

// TestNextLookSeesTheTime: no look at the clock that comes after Set gives another
// time. The times include ends of seconds, of the hour that comes twice, and years
// far away.
func TestNextLookSeesTheTime(t *testing.T) {
	c := newClock(t, frozenclock.DefaultStart)
	w := watch(t, c, tellsTime, "TZ=Europe/Berlin")
	times := []uint64{0, 1, 999, 1000, 1<<31*1000 - 1, 1 << 31 * 1000, 1761439500_001, 1761443100_999, 9_223_372_036_854}
	for ms := uint64(1_768_000_000_000); len(times) < 1000; ms += 7_777_777 {
		times = append(times, ms)
	}
	for _, ms := range times {
		set(t, c, ms)
		if got, want := w.look(), fmt.Sprint(ms*1_000_000); got != want {
			t.Fatalf("set to %d ms, and the program sees %s ns", ms, got)
		}
	}
}

// TestNoHalfTimes: a program that looks while the clock is set sees the one time or
// the other.
func TestNoHalfTimes(t *testing.T) {
	const early, late = 1_000_000_000_000, 1_999_999_999_999
	c := newClock(t, early)
	w := watch(t, c, `
import sys, time
for _ in sys.stdin:
    print(len({time.time_ns() // 1000000 for _ in range(20000)} - {1000000000000, 1999999999999}))
`)
	done := make(chan string, 1)
	go func() { done <- w.look() }()
	for n := 0; ; n++ {
		select {
		case others := <-done:
			if others != "0" {
				t.Errorf("the program saw %s times that were never set", others)
			}
			if n < 100 {
				t.Errorf("set %d times while the program looked", n)
			}
			return
		default:
			set(t, c, early)
			set(t, c, late)
		}
	}
}

func TestMonotonicClockAndFilesStayReal(t *testing.T) {
	c := newClock(t, frozenclock.DefaultStart)
	w := watch(t, c, `
import asyncio, os, sys, threading, time
for _ in sys.stdin:
    before = time.monotonic()
    asyncio.run(asyncio.sleep(0.01))
    threading.Event().wait(0.01)
    print(time.monotonic() - before >= 0.02, os.stat(sys.executable).st_mtime > 1000000000, time.time())
`)
	if got := w.look(); got != "True True 946684800.0" {
		t.Errorf("waited, real time of a file, time: %s", got)
	}
}

func TestOpenRefusesAClock(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir:                              "is not a regular file; name another path",
		filepath.Join(dir, "no", "file"): "no such file or directory; its directory must be one in which this user may make files",
	} {
		if _, err := frozenclock.Open(path); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("open %s: %v", path, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	c := newClock(t, 5)
	if err := c.Set(253_402_300_800_000); err == nil {
		t.Error("a time that libfaketime can't read was taken")
	}
	if _, err := frozenclock.Open(c.Path()); err != nil {
		t.Error(err)
	}
	if kept, err := os.ReadFile(c.Path()); err != nil || string(kept) != "0.0050000005\n" {
		t.Errorf("opened again: %q, %v", kept, err)
	}
}

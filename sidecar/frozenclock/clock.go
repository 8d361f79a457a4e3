package frozenclock

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// DefaultStart is what a clock shows before it is first set: the beginning of the
// year 2000, in milliseconds since the Unix epoch.
const DefaultStart = 946_684_800_000

// last is the last millisecond that has four digits for its year; libfaketime ends
// the program if it can't read the time.
const last = 253_402_300_799_999

// Clock is the file that a program's frozen clock shows. Its methods may be called
// from any goroutine. One process at a time sets a clock; nothing enforces it.
type Clock struct {
	mu   sync.Mutex
	path string
}

// Open returns the clock in a file, which need not exist yet. It finds out whether
// the file can be written, and leaves it as it is.
func Open(path string) (*Clock, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open clock: %w", err)
	}
	if info, err := os.Stat(whole); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open clock: %s is not a regular file; name another path", whole)
	}
	c := &Clock{path: whole}
	if err := c.write(nil); err != nil {
		return nil, fmt.Errorf("open clock: %w; its directory must be one in which this user may make files", err)
	}
	if err := os.Remove(c.aside()); err != nil {
		return nil, fmt.Errorf("open clock: %w", err)
	}
	return c, nil
}

// Path is the file's absolute path.
func (c *Clock) Path() string { return c.path }

// Set makes the clock show a time, in milliseconds since the Unix epoch. It returns
// after every later look at the clock gives that time. The file is replaced, not
// written over: libfaketime opens it by its name at each look, and must never find
// half a line. It is not synced: after a crash nobody looks at it any more.
func (c *Clock) Set(ms uint64) error {
	if ms > last {
		return fmt.Errorf("set clock: %d ms is after the year 9999", ms)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.write(line(ms)); err != nil {
		return fmt.Errorf("set clock: %w", err)
	}
	if err := os.Rename(c.aside(), c.path); err != nil {
		return fmt.Errorf("set clock: %w", err)
	}
	return nil
}

// line is how libfaketime reads a time with FAKETIME_FMT=%s. It takes the fraction
// for a binary number and cuts it off at nanoseconds: with half of one added it gets
// the millisecond that was meant and not the end of the one before.
func line(ms uint64) []byte {
	return fmt.Appendf(nil, "%d.%03d0000005\n", ms/1000, ms%1000)
}

// aside is where the file's next content is written.
func (c *Clock) aside() string { return c.path + ".new" }

func (c *Clock) write(content []byte) error {
	// The program may run as another user.
	return os.WriteFile(c.aside(), content, 0o644)
}

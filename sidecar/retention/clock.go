package retention

import "time"

// Clock is where time comes from. Neither reading is trusted alone.
type Clock interface {
	// Now is the wall clock. It may be set to anything at any time.
	Now() time.Time
	// Monotonic is the time since some moment before, of the same process. It does
	// not follow when the wall clock is set.
	Monotonic() time.Duration
}

// systemClock is the operating system's.
type systemClock struct{ began time.Time }

func (systemClock) Now() time.Time             { return time.Now().Round(0) }
func (s systemClock) Monotonic() time.Duration { return time.Since(s.began) }

// maxAdvance bounds what one look at the clocks can add. The worker looks at least
// once a minute: more than this went by only where it stood still, and then
// nobody can tell.
const maxAdvance = time.Hour

// counter counts time that really went by. Each look adds what both clocks agree
// on at least, so a jump of one of them adds nothing, and one of both not more
// than maxAdvance. Time in which no process runs is never counted. So two readings
// of it are never further apart than the moments at which they were taken.
type counter struct {
	clock   Clock
	mono    time.Duration
	wall    time.Time
	counted time.Duration
}

// newCounter goes on from what was counted before.
func newCounter(clock Clock, counted time.Duration) *counter {
	return &counter{clock: clock, mono: clock.Monotonic(), wall: clock.Now(), counted: counted}
}

// advance looks at the clocks and returns what is counted now.
func (c *counter) advance() time.Duration {
	mono, wall := c.clock.Monotonic(), c.clock.Now()
	elapsed := min(mono-c.mono, wall.Sub(c.wall), maxAdvance)
	c.mono, c.wall = mono, wall
	c.counted += max(0, elapsed)
	return c.counted
}

package retention

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// The counted clock never counts more than went by, whatever is done to the wall
// clock, and whatever a process does between two looks.
func TestTheCountedClockIsNeverFast(t *testing.T) {
	const year = 365 * day
	for name, c := range map[string]struct {
		wall, mono, want time.Duration
	}{
		"time goes by":                  {time.Minute, time.Minute, time.Minute},
		"nothing happens":               {0, 0, 0},
		"the wall clock jumps forward":  {10 * year, time.Minute, time.Minute},
		"the wall clock jumps back":     {-10 * year, time.Minute, 0},
		"the wall clock is slow":        {30 * time.Second, time.Minute, 30 * time.Second},
		"the wall clock is fast":        {2 * time.Minute, time.Minute, time.Minute},
		"the wall clock stands":         {0, time.Minute, 0},
		"the monotonic clock leaps":     {time.Minute, 10 * year, time.Minute},
		"the monotonic clock goes back": {time.Minute, -time.Minute, 0},
		"both leap":                     {10 * year, 10 * year, maxAdvance},
		"both go back":                  {-year, -year, 0},
		"beyond what can be told":       {math.MaxInt64, math.MaxInt64, maxAdvance},
	} {
		t.Run(name, func(t *testing.T) {
			clock := newFakeClock()
			count := newCounter(clock, 5*day)
			clock.move(c.wall, c.mono)
			if got := count.advance() - 5*day; got != c.want {
				t.Errorf("counted %v, want %v", got, c.want)
			}
			if got := count.advance() - 5*day; got != c.want {
				t.Errorf("counted %v at the second look, want %v", got, c.want)
			}
			clock.move(time.Second, time.Second)
			if got := count.advance() - 5*day; got != c.want+time.Second {
				t.Errorf("counted %v a second later, want %v", got, c.want+time.Second)
			}
		})
	}
}

// A thousand histories of jumps, looks and restarts: what is counted is never more
// than the time that really went by.
func TestNoHistoryMakesTheCountedClockFast(t *testing.T) {
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 1))
		clock := newFakeClock()
		count := newCounter(clock, 0)
		var truth time.Duration
		for range 50 {
			went := time.Duration(r.Int64N(int64(2 * time.Hour)))
			truth += went
			clock.move(went+jump(r), went)
			if r.IntN(3) > 0 {
				count.advance()
			}
			if r.IntN(10) == 0 { // a restart: what was not looked at is lost
				count = newCounter(clock, count.counted)
			}
			if count.counted > truth {
				t.Fatalf("seed %d: counted %v, %v went by", seed, count.counted, truth)
			}
		}
	}
}

func jump(r *rand.Rand) time.Duration {
	if r.IntN(4) > 0 {
		return 0
	}
	return time.Duration(r.Int64N(int64(8000*day))) - 4000*day
}

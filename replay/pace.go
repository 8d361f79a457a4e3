package replay

import (
	"context"
	"math"
	"time"
)

// Pace is how many times as fast as recorded requests follow each other, by the
// clocks of their entries; 0: each follows the answer before it at once. A request
// waits for the answer before it in any case.
type Pace float64

// pacer tells when requests are due. One goroutine owns it.
type pacer struct {
	pace  Pace
	began time.Time // when the first request was due; zero: none was yet
	first uint64    // its clock
}

func (p Pace) begin() pacer { return pacer{pace: p} }

// wait returns when a request of a clock is due; false if ctx ended first.
func (p *pacer) wait(ctx context.Context, clockMS uint64) bool {
	if ctx.Err() != nil {
		return false
	}
	if p.pace <= 0 {
		return true
	}
	if p.began.IsZero() {
		p.began, p.first = time.Now(), clockMS
	}
	timer := time.NewTimer(time.Until(p.began.Add(p.pace.span(clockMS - min(p.first, clockMS)))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// span is how long the pace takes for what took so many milliseconds.
func (p Pace) span(ms uint64) time.Duration {
	const most = 100 * 365 * 24 * time.Hour
	return time.Duration(math.Min(float64(ms)*float64(time.Millisecond)/float64(p), float64(most)))
}

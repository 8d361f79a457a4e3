package main

import (
	"fmt"
	"io"
	"time"
)

// replayProgress shows which offset is in flight, how many requests are done, and
// how long the rest takes at the rate so far.
type replayProgress struct {
	w       io.Writer
	replays int
	bar     bar
	begun   int         // requests
	late    *time.Timer // draws what was too soon to be drawn, should nothing follow it
}

func (p *replayProgress) total(requests int) { p.bar = newBar(p.w, "replaying", requests*p.replays) }

func (p *replayProgress) sending(offset uint64) {
	p.bar.describe(fmt.Sprintf("replaying, at offset %d", offset))
	p.bar.set(p.begun)
	p.begun++
	if p.late == nil {
		p.late = time.AfterFunc(2*barThrottle, p.bar.draw)
	}
	p.late.Reset(2 * barThrottle)
}

func (p *replayProgress) end() {
	if p.late != nil {
		p.late.Stop()
	}
	p.bar.end()
}

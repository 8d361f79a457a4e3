package main

import (
	"fmt"
	"io"
)

// replayProgress shows which offset is in flight, how many requests are done, and
// how long the rest takes at the rate so far.
type replayProgress struct {
	w       io.Writer
	replays int
	bar     bar
	begun   int // requests
}

func (p *replayProgress) total(requests int) { p.bar = newBar(p.w, "replaying", requests*p.replays) }

func (p *replayProgress) sending(offset uint64) {
	p.bar.describe(fmt.Sprintf("replaying, at offset %d", offset))
	p.bar.set(p.begun)
	p.begun++
}

func (p *replayProgress) end() { p.bar.end() }

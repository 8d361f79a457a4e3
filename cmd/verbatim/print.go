package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// printer keeps the first error of writing lines.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// barThrottle is the least time between two drawings of a bar.
const barThrottle = 100 * time.Millisecond

// bar shows progress on a terminal, and nothing elsewhere.
type bar struct{ b *progressbar.ProgressBar }

func newBar(w io.Writer, what string, total int) bar {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return bar{}
	}
	return drawBar(w, what, total)
}

func drawBar(w io.Writer, what string, total int) bar {
	return bar{progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(barThrottle), progressbar.OptionClearOnFinish())}
}

func (b bar) set(n int) {
	if b.b != nil {
		_ = b.b.Set(n) // a bar that can't be drawn is no error
	}
}

func (b bar) describe(what string) {
	if b.b != nil {
		b.b.Describe(what)
	}
}

// draw draws the bar again; it may be called by any goroutine.
func (b bar) draw() {
	if b.b != nil {
		_ = b.b.RenderBlank() // a bar that can't be drawn is no error
	}
}

func (b bar) end() {
	if b.b != nil {
		_ = b.b.Finish()
	}
}

package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// printer prints lines for people, and keeps the first error of writing them.
type printer struct {
	w   io.Writer
	err error
}

// line prints one line. Layout is the format's alone: an argument stays in its place,
// wherever it comes from.
func (p *printer) line(format string, args ...any) {
	if p.err != nil {
		return
	}
	for i, a := range args {
		args[i] = inPlace{a}
	}
	_, p.err = fmt.Fprintf(p.w, format+"\n", args...) //nolint:forbidigo // this is the one place
}

// printLine prints one line alone.
func printLine(w io.Writer, format string, args ...any) error {
	p := &printer{w: w}
	p.line(format, args...)
	return p.err
}

// inPlace formats a value with any verb, and lets through nothing that would change a
// terminal or a line.
type inPlace struct{ value any }

func (p inPlace) Format(f fmt.State, verb rune) {
	_, _ = io.WriteString(f, printable(fmt.Sprintf(fmt.FormatString(f, verb), p.value))) // f keeps the error
}

// printable quotes what would change a terminal or a line: control characters, what
// turns the direction of text, and octets that are no text.
func printable(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	return strconv.Quote(s)
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

package replay

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
)

func compareBodies(recorded, replayed *logv1.Output) change {
	if len(recorded.GetStreamSha256())+len(replayed.GetStreamSha256()) > 0 {
		return compareStreams(recorded, replayed)
	}
	a, b := recorded.GetBody(), replayed.GetBody()
	c := change{kind: bodyKind(recorded, replayed)}
	if recorded.GetHasBody() == replayed.GetHasBody() && bytes.Equal(a, b) {
		return c
	}
	if c.fields, c.lines = diffJSON(a, b); len(c.lines) > 0 {
		return c
	}
	c.fields = []string{"body"}
	if utf8.Valid(a) && utf8.Valid(b) {
		c.lines = diffText(a, b)
	}
	if len(c.lines) == 0 {
		c.lines = diffOctets(a, b)
	}
	return c
}

// bodyKind tells a body that goes on, or ends before its time, from another one.
func bodyKind(recorded, replayed *logv1.Output) auditv1.DivergenceKind {
	a, b := recorded.GetBody(), replayed.GetBody()
	switch {
	case recorded.GetStatus() != replayed.GetStatus(): // it is another answer
	case len(b) > len(a) && bytes.HasPrefix(b, a):
		return auditv1.DivergenceKind_DIVERGENCE_KIND_EXTRA
	case len(a) > len(b) && bytes.HasPrefix(a, b):
		return auditv1.DivergenceKind_DIVERGENCE_KIND_MISSING
	}
	return auditv1.DivergenceKind_DIVERGENCE_KIND_BODY
}

// compareStreams compares what is known by count and digest.
func compareStreams(a, b *logv1.Output) change {
	c := change{kind: auditv1.DivergenceKind_DIVERGENCE_KIND_BODY}
	if a.GetStreamOctets() != b.GetStreamOctets() || !bytes.Equal(a.GetStreamSha256(), b.GetStreamSha256()) {
		c.fields, c.lines = []string{"body"}, []string{"- " + streamLine(a), "+ " + streamLine(b)}
	}
	return c
}

func streamLine(o *logv1.Output) string {
	if len(o.GetStreamSha256()) == 0 {
		return fmt.Sprintf("body of %d octets, no stream", len(o.GetBody()))
	}
	return fmt.Sprintf("stream of %d octets, SHA-256 %x", o.GetStreamOctets(), o.GetStreamSha256())
}

func diffText(a, b []byte) (lines []string) {
	before, after := textLines(a), textLines(b)
	edits := diffLists(before, after)
	of := func(e edit) string {
		if e.added {
			return after[e.index]
		}
		return before[e.index]
	}
	for i, other := range counterparts(edits) {
		e, at := edits[i], 0
		if other >= 0 {
			at = parting(of(e), of(edits[other]))
		}
		lines = append(lines, fmt.Sprintf("%sbody line %d: %s", e.sign(), e.index+1, cut(of(e), at)))
	}
	return lines
}

func textLines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\n")
}

// cut keeps a line readable that differs from its counterpart at an octet: of a long one
// it shows what is around that.
func cut(s string, at int) string {
	const most, before = 200, 40
	if len(s) <= most {
		return s
	}
	from := 0
	if at >= most {
		from = min(at-before, len(s)-most)
	}
	text := strings.ToValidUTF8(s[from:from+most], "")
	if from == 0 {
		return text + "... (" + strconv.Itoa(len(s)) + " octets)"
	}
	return fmt.Sprintf("...%s... (%d octets, from octet %d)", text, len(s), from)
}

// parting is the first octet in which two texts differ.
func parting[T string | []byte](a, b T) int {
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	return at
}

// diffOctets shows where two bodies part.
func diffOctets(a, b []byte) []string {
	at := parting(a, b)
	window := func(s []byte) []byte { return s[max(0, min(at-8, len(s))):min(at+8, len(s))] }
	return []string{
		fmt.Sprintf("- body of %d octets, from octet %d: % x", len(a), max(0, at-8), window(a)),
		fmt.Sprintf("+ body of %d octets, from octet %d: % x", len(b), max(0, at-8), window(b)),
		fmt.Sprintf("  they part at octet %d", at),
	}
}

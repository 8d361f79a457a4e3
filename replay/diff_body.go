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
	for _, e := range diffLists(before, after) {
		list := before
		if e.added {
			list = after
		}
		lines = append(lines, fmt.Sprintf("%sbody line %d: %s", e.sign(), e.index+1, cut(list[e.index])))
	}
	return lines
}

func textLines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(string(b), "\n")
}

// cut keeps a line readable.
func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "... (" + strconv.Itoa(len(s)) + " octets)"
}

// diffOctets shows where two bodies part.
func diffOctets(a, b []byte) []string {
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	window := func(s []byte) []byte { return s[max(0, min(at-8, len(s))):min(at+8, len(s))] }
	return []string{
		fmt.Sprintf("- body of %d octets, from octet %d: % x", len(a), max(0, at-8), window(a)),
		fmt.Sprintf("+ body of %d octets, from octet %d: % x", len(b), max(0, at-8), window(b)),
		fmt.Sprintf("  they part at octet %d", at),
	}
}

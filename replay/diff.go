package replay

import (
	"bytes"
	"fmt"
	"slices"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/secret"
)

// Bounds of what is shown; the first lines are the ones that matter.
const (
	maxDiffLines = 40
	maxFields    = 100 // of a list of fields
)

// change is a difference of one kind.
type change struct {
	kind   auditv1.DivergenceKind
	fields []string // what differs, by name
	lines  []string // "-" is of the first output, "+" of the second
}

// changes are what differs between two answers. Their order is that of an answer:
// status, headers, body, trailers.
type changes []change

// kinds are all kinds, the most telling first, each once.
func (c changes) kinds() []auditv1.DivergenceKind {
	var list []auditv1.DivergenceKind
	for _, one := range c {
		list = append(list, one.kind)
	}
	slices.Sort(list) // their numbers have that order
	return slices.Compact(list)
}

// fields are the first maxFields that differ, each once.
func (c changes) fields() (list []string) {
	for _, one := range c {
		for _, f := range one.fields {
			if len(list) < maxFields && !slices.Contains(list, f) {
				list = append(list, f)
			}
		}
	}
	return list
}

// lines are at most maxDiffLines, and what they leave out is said.
func (c changes) lines() []string {
	lines := c.allLines()
	if len(lines) > maxDiffLines {
		more := len(lines) - maxDiffLines
		lines = append(lines[:maxDiffLines:maxDiffLines], fmt.Sprintf("and %d more lines", more))
	}
	return lines
}

func (c changes) allLines() (lines []string) {
	for _, one := range c {
		lines = append(lines, one.lines...)
	}
	return lines
}

// Diff compares two outputs: status, headers, body (JSON by field, else text by
// line, else the first octets that differ), trailers. Values of headers that
// carry secrets are not shown; equal ones have the same number. It is empty for
// equal outputs.
func Diff(recorded, replayed *logv1.Output) []string {
	return compareOutputs(recorded, replayed).allLines()
}

func compareOutputs(a, b *logv1.Output) changes {
	var all changes
	if a.GetStatus() != b.GetStatus() {
		all = append(all, change{auditv1.DivergenceKind_DIVERGENCE_KIND_STATUS, []string{"status"}, []string{
			fmt.Sprintf("- status %d", a.GetStatus()), fmt.Sprintf("+ status %d", b.GetStatus()),
		}})
	}
	all = all.append(compareHeaders("header", a.GetHeaders(), b.GetHeaders(), auditv1.DivergenceKind_DIVERGENCE_KIND_HEADER))
	all = all.append(compareBodies(a, b)).append(compareDigests(a, b))
	return all.append(compareHeaders("trailer", a.GetTrailers(), b.GetTrailers(), auditv1.DivergenceKind_DIVERGENCE_KIND_TRAILER))
}

// compareDigests compares bodies that are known by count and digest alone.
func compareDigests(a, b *logv1.Output) change {
	if bytes.Equal(a.GetStreamSha256(), b.GetStreamSha256()) {
		return change{}
	}
	digest := func(o *logv1.Output) string {
		if len(o.GetStreamSha256()) == 0 {
			return fmt.Sprintf("body of %d octets, whole", len(o.GetBody()))
		}
		return fmt.Sprintf("body of %d octets, SHA-256 %x", o.GetStreamOctets(), o.GetStreamSha256())
	}
	return change{auditv1.DivergenceKind_DIVERGENCE_KIND_BODY, []string{"body"}, []string{"- " + digest(a), "+ " + digest(b)}}
}

func (c changes) append(one change) changes {
	if len(one.lines) == 0 {
		return c
	}
	return append(c, one)
}

// compareHeaders compares two ordered header lists line by line.
func compareHeaders(what string, a, b []*logv1.Header, kind auditv1.DivergenceKind) change {
	hidden := map[string]int{}
	before, after := headerLines(what, a, hidden), headerLines(what, b, hidden)
	c := change{kind: kind}
	for _, e := range diffLists(before, after) {
		list, lines := a, before
		if e.added {
			list, lines = b, after
		}
		c.lines = append(c.lines, e.sign()+lines[e.index])
		c.fields = append(c.fields, what+" "+string(list[e.index].GetName()))
	}
	return c
}

// headerLines numbers the values that it hides, by what hidden has seen.
func headerLines(what string, list []*logv1.Header, hidden map[string]int) []string {
	lines := make([]string, len(list))
	for i, h := range list {
		name, value := string(h.GetName()), string(h.GetValue())
		text, hides := secret.Shown(name, h.GetValue())
		lines[i] = fmt.Sprintf("%s %s: %s", what, name, text)
		if !hides {
			continue
		}
		if hidden[value] == 0 {
			hidden[value] = len(hidden) + 1
		}
		lines[i] += fmt.Sprintf(", value %d", hidden[value])
	}
	return lines
}

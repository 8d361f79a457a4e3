package replay

import (
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
	"verbatim/sidecar/secret"
)

// maxDiffLines bounds a diff; the first lines are the ones that matter.
const maxDiffLines = 40

// diff says in lines what differs between the recorded output and the replayed
// one. "-" is recorded, "+" replayed.
func (r *run) diff(d *difference) []string {
	recorded, err := r.recordedOutput(d.x)
	if err != nil {
		return []string{fmt.Sprintf("the recorded output can't be read: %v", err)}
	}
	if d.cause != nil {
		return []string{fmt.Sprintf("- status %d", recorded.GetStatus()), fmt.Sprintf("+ no answer: %v", d.cause)}
	}
	replayed, err := output.Decode(d.output)
	if err != nil {
		return []string{fmt.Sprintf("the replayed output can't be read: %v", err)}
	}
	lines := append(Diff(recorded, replayed), r.diffStream(d.x)...)
	if len(lines) > maxDiffLines {
		more := len(lines) - maxDiffLines
		lines = append(lines[:maxDiffLines], fmt.Sprintf("and %d more lines", more))
	}
	return lines
}

// recordedOutput is the recorded output as it was compared.
func (r *run) recordedOutput(x *exchange) (*logv1.Output, error) {
	request, err := r.load(x)
	if err != nil {
		return nil, err
	}
	recorded, err := r.recordedUnder(x, request)
	if err != nil {
		return nil, err
	}
	return output.Decode(recorded)
}

// Diff compares two outputs: status, headers, body (JSON by field, else text by
// line, else the first octets that differ), trailers. Values of headers that
// carry secrets are not shown; equal ones have the same number. It is empty for
// equal outputs.
func Diff(recorded, replayed *logv1.Output) []string {
	var lines []string
	if recorded.GetStatus() != replayed.GetStatus() {
		lines = append(lines, fmt.Sprintf("- status %d", recorded.GetStatus()), fmt.Sprintf("+ status %d", replayed.GetStatus()))
	}
	lines = append(lines, diffLists("header", recorded.GetHeaders(), replayed.GetHeaders())...)
	lines = append(lines, diffBodies(recorded, replayed)...)
	return append(lines, diffLists("trailer", recorded.GetTrailers(), replayed.GetTrailers())...)
}

// diffLists compares two ordered header lists line by line.
func diffLists(what string, recorded, replayed []*logv1.Header) []string {
	hidden := map[string]int{}
	return diffLines(headerLines(what, recorded, hidden), headerLines(what, replayed, hidden))
}

// headerLines numbers the values that it hides, by what hidden has seen.
func headerLines(what string, list []*logv1.Header, hidden map[string]int) []string {
	lines := make([]string, len(list))
	for i, h := range list {
		name, value := string(h.GetName()), string(h.GetValue())
		lines[i] = fmt.Sprintf("%s %s: %s", what, name, secret.Shown(name, h.GetValue()))
		if !secret.Header(name) {
			continue
		}
		if hidden[value] == 0 {
			hidden[value] = len(hidden) + 1
		}
		lines[i] += fmt.Sprintf(", value %d", hidden[value])
	}
	return lines
}

// diffLines drops what both begin and end with and shows the rest.
func diffLines(a, b []string) []string {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var lines []string
	for _, l := range a {
		lines = append(lines, "- "+l)
	}
	for _, l := range b {
		lines = append(lines, "+ "+l)
	}
	return lines
}

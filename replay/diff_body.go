package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	logv1 "verbatim/proto/verbatim/log/v1"
)

func diffBodies(recorded, replayed *logv1.Output) []string {
	a, b := recorded.GetBody(), replayed.GetBody()
	if recorded.GetHasBody() == replayed.GetHasBody() && bytes.Equal(a, b) {
		return nil
	}
	if lines := diffJSON(a, b); len(lines) > 0 {
		return lines
	}
	if utf8.Valid(a) && utf8.Valid(b) {
		if lines := diffLines(bodyLines(a), bodyLines(b)); len(lines) > 0 {
			return lines
		}
	}
	return diffOctets(a, b)
}

func bodyLines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	lines := strings.Split(string(b), "\n")
	for i, l := range lines {
		lines[i] = "body line " + strconv.Itoa(i+1) + ": " + cut(l)
	}
	return lines
}

// cut keeps a line readable.
func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + fmt.Sprintf("... (%d octets)", len(s))
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

// diffJSON compares two JSON documents by field; nothing if one is none, or if
// they differ in their text alone.
func diffJSON(a, b []byte) []string {
	before, ok := parseJSON(a)
	if !ok {
		return nil
	}
	after, ok := parseJSON(b)
	if !ok {
		return nil
	}
	return diffValues("", before, after)
}

func parseJSON(b []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return nil, false
	}
	return v, true
}

// diffValues names each differing field by its JSON Pointer (RFC 6901).
func diffValues(path string, a, b any) []string {
	if ao, ok := a.(map[string]any); ok {
		if bo, ok := b.(map[string]any); ok {
			return diffObjects(path, ao, bo)
		}
	}
	if al, ok := a.([]any); ok {
		if bl, ok := b.([]any); ok && len(al) == len(bl) {
			var lines []string
			for i := range al {
				lines = append(lines, diffValues(path+"/"+strconv.Itoa(i), al[i], bl[i])...)
			}
			return lines
		}
	}
	before, after := printJSON(a), printJSON(b)
	if before == after {
		return nil
	}
	return []string{"- body " + path + ": " + before, "+ body " + path + ": " + after}
}

func diffObjects(path string, a, b map[string]any) []string {
	names := slices.Collect(maps.Keys(a))
	for n := range b {
		if _, ok := a[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	var lines []string
	for _, n := range names {
		at := path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(n)
		before, inA := a[n]
		after, inB := b[n]
		switch {
		case !inB:
			lines = append(lines, "- body "+at+": "+printJSON(before))
		case !inA:
			lines = append(lines, "+ body "+at+": "+printJSON(after))
		default:
			lines = append(lines, diffValues(at, before, after)...)
		}
	}
	return lines
}

func printJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return cut(string(b))
}

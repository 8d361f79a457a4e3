package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// jsonDiff names each differing field by its JSON Pointer (RFC 6901).
type jsonDiff struct{ fields, lines []string }

// diffJSON compares two JSON documents by field; nothing if one is none, or if
// they differ in their text alone.
func diffJSON(a, b []byte) (fields, lines []string) {
	before, ok := parseJSON(a)
	if !ok {
		return nil, nil
	}
	after, ok := parseJSON(b)
	if !ok {
		return nil, nil
	}
	var d jsonDiff
	d.values("", before, after)
	return d.fields, d.lines
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

func (d *jsonDiff) line(sign, path, v string) { d.lineAt(sign, path, v, 0) }

// lineAt is a line of a value that differs from its counterpart at an octet.
func (d *jsonDiff) lineAt(sign, path, v string, at int) {
	d.lines = append(d.lines, sign+"body "+path+": "+cut(v, at))
	d.fields = append(d.fields, strings.TrimSpace("body "+path))
}

func (d *jsonDiff) values(path string, a, b any) {
	switch before := a.(type) {
	case map[string]any:
		if after, ok := b.(map[string]any); ok {
			d.objects(path, before, after)
			return
		}
	case []any:
		if after, ok := b.([]any); ok {
			d.lists(path, before, after)
			return
		}
	}
	if before, after := printJSON(a), printJSON(b); before != after {
		at := parting(before, after)
		d.lineAt("- ", path, before, at)
		d.lineAt("+ ", path, after, at)
	}
}

// lists compares lists of one length place by place; of others it finds what came
// in and what went out.
func (d *jsonDiff) lists(path string, a, b []any) {
	at := func(i int) string { return path + "/" + strconv.Itoa(i) }
	if len(a) == len(b) {
		for i := range a {
			d.values(at(i), a[i], b[i])
		}
		return
	}
	before, after := printAll(a), printAll(b)
	for _, e := range diffLists(before, after) {
		list := before
		if e.added {
			list = after
		}
		d.line(e.sign(), at(e.index), list[e.index])
	}
}

func (d *jsonDiff) objects(path string, a, b map[string]any) {
	names := slices.Collect(maps.Keys(a))
	for n := range b {
		if _, ok := a[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		at := path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(n)
		before, inA := a[n]
		after, inB := b[n]
		switch {
		case !inB:
			d.line("- ", at, printJSON(before))
		case !inA:
			d.line("+ ", at, printJSON(after))
		default:
			d.values(at, before, after)
		}
	}
}

func printAll(list []any) []string {
	lines := make([]string, len(list))
	for i, v := range list {
		lines[i] = printJSON(v)
	}
	return lines
}

func printJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

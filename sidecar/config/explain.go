package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What yaml/v3 says, for it gives no more than text.
var (
	unknownField = regexp.MustCompile(`(?s)^line (\d+): field (.*) not found in type `)
	wrongType    = regexp.MustCompile("(?s)^line (\\d+): cannot unmarshal (?:!!\\w+ )?(?:`(.*)` )?into (.*)$")
)

// kinds says in words what a setting of a Go type takes.
var kinds = map[string]string{
	"string":        "text",
	"bool":          "true or false",
	"int":           "a whole number",
	"int64":         "a whole number",
	"time.Duration": "a duration with a unit, such as 10s",
	"config.Span":   "a duration with a unit, such as 90d",
	"[]string":      "a list",
}

// complain says in terms of settings what yaml/v3 says in terms of Go.
func complain(keys []key, message string) error {
	if m := unknownField.FindStringSubmatch(message); m != nil {
		return fmt.Errorf("line %s: unknown key %q", m[1], find(keys, m[1], func(k key) bool { return k.name == m[2] }, m[2]))
	}
	if m := wrongType.FindStringSubmatch(message); m != nil {
		need, ok := kinds[m[3]]
		if !ok {
			need = "a group of settings"
		}
		here := func(k key) bool { return strconv.Itoa(k.valueLine) == m[1] }
		return fmt.Errorf("line %s: %q must be %s", m[1], find(keys, m[1], here, "the file"), need)
	}
	return errors.New(strings.Join(strings.Fields(message), " "))
}

// key is a key of the document and where it stands.
type key struct {
	// path is dotted from the top, name its last part.
	path, name string
	// valueLine is the line where the value begins.
	line, valueLine int
}

// keysOf lists all keys of the first document.
func keysOf(b []byte) []key {
	var doc yaml.Node
	if yaml.Unmarshal(b, &doc) != nil || len(doc.Content) == 0 {
		return nil
	}
	var keys []key
	walk(doc.Content[0], "", func(k key) { keys = append(keys, k) })
	return keys
}

func walk(n *yaml.Node, prefix string, visit func(key)) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		path := prefix + name.Value
		visit(key{path: path, name: name.Value, line: name.Line, valueLine: value.Line})
		for _, item := range value.Content {
			if value.Kind == yaml.SequenceNode && item.Line != value.Line {
				visit(key{path: path, name: name.Value, line: name.Line, valueLine: item.Line})
			}
		}
		walk(value, path+".", visit)
	}
}

// find returns the path of the last key on the line, or of one whose value begins
// there, that fits; several stand on one line only in {flow: style}.
func find(keys []key, line string, fits func(key) bool, none string) string {
	for i := len(keys) - 1; i >= 0; i-- {
		k := keys[i]
		if fits(k) && (strconv.Itoa(k.line) == line || strconv.Itoa(k.valueLine) == line) {
			return k.path
		}
	}
	return none
}

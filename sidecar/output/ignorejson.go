package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Placeholder stands in an output for an ignored value of a JSON body. It is a JSON
// string, so that the body stays JSON.
const Placeholder = `"(ignored)"`

// Bounds of a policy's pointers and paths.
const (
	maxRules    = 1000
	maxSegments = 64
)

// pointerNode is the set of pointers that go on from one place: a tree by segments.
type pointerNode struct {
	whole bool // a pointer ends here
	next  map[string]*pointerNode
}

// everySegment is every element of an array, and every member of an object.
const everySegment = "*"

// compilePointers returns the pointers sorted, each once, and their tree; nil of none.
func compilePointers(pointers []string) ([]string, *pointerNode, error) {
	if len(pointers) == 0 {
		return nil, nil, nil
	}
	if len(pointers) > maxRules {
		return nil, nil, fmt.Errorf("%w: %d JSON pointers are more than %d", ErrIgnorePolicy, len(pointers), maxRules)
	}
	root := new(pointerNode)
	for _, p := range pointers {
		segments, err := pointerSegments(p)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %q is not a JSON pointer to a part of a body: %w", ErrIgnorePolicy, p, err)
		}
		n := root
		for _, s := range segments {
			n = n.child(s)
		}
		n.whole = true
	}
	return sorted(append([]string(nil), pointers...)), root, nil
}

func (n *pointerNode) child(segment string) *pointerNode {
	if n.next == nil {
		n.next = map[string]*pointerNode{}
	}
	if n.next[segment] == nil {
		n.next[segment] = new(pointerNode)
	}
	return n.next[segment]
}

// pointerSegments splits a pointer and reads its escapes.
func pointerSegments(pointer string) ([]string, error) {
	switch {
	case pointer == "":
		return nil, errors.New("it stands for the whole body")
	case pointer[0] != '/':
		return nil, errors.New("it does not begin with /")
	case !utf8.ValidString(pointer):
		return nil, errors.New("it is not UTF-8")
	}
	segments := strings.Split(pointer[1:], "/")
	if len(segments) > maxSegments {
		return nil, fmt.Errorf("it has more than %d segments", maxSegments)
	}
	for i, s := range segments {
		rest := strings.NewReplacer("~0", "", "~1", "").Replace(s)
		if strings.Contains(rest, "~") {
			return nil, errors.New("~ is written ~0, and / in a name ~1")
		}
		segments[i] = strings.NewReplacer("~0", "~", "~1", "/").Replace(s)
	}
	return segments, nil
}

// jsonEdits finds the values that pointers name. ok: body is one JSON text in UTF-8
// (RFC 8259) without too many of them.
func jsonEdits(body []byte, pointers *pointerNode) (e edits, ok bool) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, false
	}
	w := jsonWalk{body: body, decoder: json.NewDecoder(bytes.NewReader(body))}
	if err := w.value([]*pointerNode{pointers}); err != nil {
		return nil, false
	}
	return w.edits, true
}

// jsonWalk is one pass over a valid JSON text.
type jsonWalk struct {
	body    []byte
	decoder *json.Decoder
	edits   edits
	skipped json.RawMessage // memory that is used again
}

// value passes over the value that comes next. Of the nodes, none ends here.
func (w *jsonWalk) value(nodes []*pointerNode) error {
	if first := w.body[w.begin()]; first != '{' && first != '[' {
		return w.skip()
	}
	open, err := w.decoder.Token()
	if err != nil {
		return err
	}
	for i := 0; w.decoder.More(); i++ {
		segment := strconv.Itoa(i)
		if open == json.Delim('{') {
			name, err := w.decoder.Token()
			if err != nil {
				return err
			}
			segment = name.(string) // a member of a valid text begins with its name
		}
		if err := w.part(nodes, segment); err != nil {
			return err
		}
	}
	_, err = w.decoder.Token()
	return err
}

// part passes over an element or a member's value.
func (w *jsonWalk) part(nodes []*pointerNode, segment string) error {
	var into []*pointerNode
	whole := false
	for _, n := range nodes {
		named, every := n.next[segment], n.next[everySegment]
		if segment == everySegment {
			named = nil // the same as every
		}
		for _, m := range []*pointerNode{named, every} {
			if m != nil {
				into, whole = append(into, m), whole || m.whole
			}
		}
	}
	switch {
	case whole:
		return w.replace()
	case into == nil:
		return w.skip()
	}
	return w.value(into)
}

// begin is where the value that comes next begins.
func (w *jsonWalk) begin() int {
	at := int(w.decoder.InputOffset())
	for strings.IndexByte(" \t\r\n,:", w.body[at]) >= 0 {
		at++
	}
	return at
}

func (w *jsonWalk) skip() error { return w.decoder.Decode(&w.skipped) }

func (w *jsonWalk) replace() error {
	from := w.begin()
	if err := w.skip(); err != nil {
		return err
	}
	return w.edits.add(edit{from: from, to: int(w.decoder.InputOffset()), with: []byte(Placeholder)})
}

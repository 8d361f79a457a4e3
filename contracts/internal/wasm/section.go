// Package wasm reads and appends the sections of WebAssembly modules. It knows how sections are framed, not what is in
// them, and does not validate modules.
package wasm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// The section ids that are looked for by name here or by users.
const (
	Custom   = 0
	Type     = 1
	Import   = 2
	Function = 3
	Export   = 7
	Start    = 8
)

// header begins every module: a magic number and version 1.
var header = []byte("\x00asm\x01\x00\x00\x00")

// Section is one section of a module.
type Section struct {
	ID   byte
	Name string // of a custom section
	Data []byte // without id, length and name; a part of the module's bytes
}

// Sections are the module's sections in their order.
func Sections(module []byte) ([]Section, error) {
	rest, ok := bytes.CutPrefix(module, header)
	if !ok {
		return nil, errors.New("not a WebAssembly module of version 1")
	}
	var sections []Section
	for len(rest) > 0 {
		s := Section{ID: rest[0]}
		var err error
		if s.Data, rest, err = Prefixed(rest[1:]); err != nil {
			return nil, fmt.Errorf("read section %d of the module: %w", len(sections), err)
		}
		if s.ID == Custom {
			var name []byte
			if name, s.Data, err = Prefixed(s.Data); err != nil {
				return nil, fmt.Errorf("read name of section %d of the module: %w", len(sections), err)
			}
			s.Name = string(name)
		}
		sections = append(sections, s)
	}
	return sections, nil
}

// Prefixed splits off bytes that follow their own length, as names and contents of sections do. Both results are parts of b.
func Prefixed(b []byte) (content, rest []byte, err error) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return nil, nil, errors.New("it is cut off")
	}
	end := n + int(length)
	return b[n:end], b[end:], nil
}

// AppendCustom appends a custom section to a module and returns the longer module.
func AppendCustom(module []byte, name string, data []byte) []byte {
	content := appendPrefixed(nil, []byte(name))
	content = append(content, data...)
	return appendPrefixed(append(module, Custom), content)
}

// appendPrefixed appends content after its length.
func appendPrefixed(b, content []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(content)))
	return append(b, content...)
}

package wasm

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A module of a type section with one function type, and two custom sections, one empty and one with a length of two bytes.
func TestSections(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 200)
	module := append([]byte("\x00asm\x01\x00\x00\x00"), 1, 4, 1, 0x60, 0, 0)
	module = AppendCustom(module, "empty", nil)
	module = AppendCustom(module, "long", long)

	got, err := Sections(module)
	if err != nil {
		t.Fatal(err)
	}
	want := []Section{
		{ID: Type, Data: []byte{1, 0x60, 0, 0}},
		{ID: Custom, Name: "empty", Data: []byte{}},
		{ID: Custom, Name: "long", Data: long},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSectionsRefusesWhatIsNoModule(t *testing.T) {
	for _, c := range []struct{ name, module, sentence string }{
		{"nothing", "", "not a WebAssembly module"},
		{"text", "(module)", "not a WebAssembly module"},
		{"version 2", "\x00asm\x02\x00\x00\x00", "not a WebAssembly module"},
		{"no length", "\x00asm\x01\x00\x00\x00\x01", "read section 0"},
		{"short section", "\x00asm\x01\x00\x00\x00\x01\x05abcd", "read section 0"},
		{"length without an end", "\x00asm\x01\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "read section 0"},
		{"short name", "\x00asm\x01\x00\x00\x00\x00\x02\x05a", "read name of section 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Sections([]byte(c.module)); err == nil || !strings.Contains(err.Error(), c.sentence) {
				t.Errorf("got %v, want an error that says %q", err, c.sentence)
			}
		})
	}
}

// FuzzSections: whatever is read, what is appended to it is read as appended.
func FuzzSections(f *testing.F) {
	f.Add([]byte("\x00asm\x01\x00\x00\x00"), "name", []byte("data"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x00\x05\x04name"), "", []byte{})
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "a", []byte{})
	f.Fuzz(func(t *testing.T, module []byte, name string, data []byte) {
		before, err := Sections(module)
		if err != nil {
			t.Logf("refused: %v", err)
			return
		}
		after, err := Sections(AppendCustom(bytes.Clone(module), name, data))
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Concat(before, []Section{{ID: Custom, Name: name, Data: data}})
		if !cmp.Equal(want, after, cmp.Comparer(bytes.Equal)) {
			t.Errorf("got %v, want %v", after, want)
		}
	})
}

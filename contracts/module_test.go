package contracts_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"verbatim/contracts"
	"verbatim/contracts/internal/wasm"
)

// The module is small, begins nothing by itself, and asks the host for what it needs and nothing else.
func TestModule(t *testing.T) {
	if len(contracts.Wasm) >= 4096 {
		t.Errorf("the module has %d bytes, want less than 4096", len(contracts.Wasm))
	}
	var custom []string
	for _, s := range sections(t) {
		switch s.ID {
		case wasm.Custom:
			custom = append(custom, s.Name)
		case wasm.Start:
			t.Error("the module has a start section: hosts refuse it")
		case wasm.Import:
			for _, name := range imports(t, s.Data) {
				if hostFunctions[name] == "" {
					t.Errorf("%s is imported, which is not among the functions that this test knows", name)
				}
			}
		case wasm.Export:
			same(t, "exports", []string{
				"memory memory", "function open", "function commit", "function latest", "function get",
				"function propose", "function accept",
			}, exports(t, s.Data))
		}
	}
	same(t, "custom sections", []string{"contractspecv0", "contractenvmetav0", "contractmetav0"}, custom)
}

// hostFunctions are those that a host of protocol 22 has, by the names that modules import, as far as they are used.
var hostFunctions = map[string]string{
	"x.0": "obj_cmp",
	"x.1": "contract_event",
	"x.3": "get_ledger_sequence",
	"x.4": "get_ledger_timestamp",
	"x.5": "fail_with_error",
	"i.0": "obj_to_u64",
	"m.9": "map_new_from_linear_memory",
	"m.a": "map_unpack_to_linear_memory",
	"v.g": "vec_new_from_linear_memory",
	"l._": "put_contract_data",
	"l.0": "has_contract_data",
	"l.1": "get_contract_data",
	"l.7": "extend_contract_data_ttl",
	"l.8": "extend_current_contract_instance_and_code_ttl",
	"b.8": "bytes_len",
	"a.0": "require_auth",
}

func sections(t *testing.T) []wasm.Section {
	t.Helper()
	s, err := wasm.Sections(contracts.Wasm)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sectionOf is the content of a custom section.
func sectionOf(t *testing.T, name string) []byte {
	t.Helper()
	all := sections(t)
	i := slices.IndexFunc(all, func(s wasm.Section) bool { return s.ID == wasm.Custom && s.Name == name })
	if i < 0 {
		t.Fatalf("the module has no section %s", name)
	}
	return all[i].Data
}

// imports are the functions of an import section.
func imports(t *testing.T, data []byte) []string {
	t.Helper()
	var names []string
	n, data := count(t, data)
	for range n {
		var module, field []byte
		module, data = name(t, data)
		field, data = name(t, data)
		if data[0] != 0 {
			t.Fatalf("%s.%s is imported and no function", module, field)
		}
		_, data = count(t, data[1:])
		short := string(module) + "." + string(field)
		names = append(names, short)
	}
	return names
}

// exports are the names in an export section.
func exports(t *testing.T, data []byte) []string {
	t.Helper()
	var names []string
	n, data := count(t, data)
	for range n {
		var field []byte
		field, data = name(t, data)
		kind := map[byte]string{0: "function", 2: "memory"}[data[0]]
		names = append(names, kind+" "+string(field))
		_, data = count(t, data[1:])
	}
	return names
}

func name(t *testing.T, data []byte) (name, rest []byte) {
	t.Helper()
	name, rest, err := wasm.Prefixed(data)
	if err != nil {
		t.Fatal(err)
	}
	return name, rest
}

// count reads a number.
func count(t *testing.T, data []byte) (n uint64, rest []byte) {
	t.Helper()
	n, size := binary.Uvarint(data)
	if size <= 0 {
		t.Fatal("a number is cut off")
	}
	return n, data[size:]
}

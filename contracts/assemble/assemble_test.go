package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"verbatim/contracts"
	"verbatim/contracts/internal/wasm"
)

// The committed module is a bare one with the description that is in the package now. That the bare one comes from the
// text is what -check looks at, with wasm-tools.
func TestCommittedModuleIsDescribed(t *testing.T) {
	sections, err := wasm.Sections(contracts.Wasm)
	if err != nil {
		t.Fatal(err)
	}
	var described int
	for _, s := range sections {
		if s.ID == wasm.Custom {
			described += len(wasm.AppendCustom(nil, s.Name, s.Data))
		}
	}
	bare := contracts.Wasm[:len(contracts.Wasm)-described]
	again, err := describe(bytes.Clone(bare))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, contracts.Wasm) {
		t.Error("the description is not the module's: run make contract")
	}
}

func TestCompare(t *testing.T) {
	file := filepath.Join(t.TempDir(), "module")
	err := compare([]byte("module"), file)
	if err == nil || !strings.Contains(err.Error(), "is not there: run make contract") {
		t.Errorf("got %v for a file that is not there", err)
	}
	if err := os.WriteFile(file, []byte("module"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := compare([]byte("module"), file); err != nil {
		t.Error(err)
	}
	err = compare([]byte("other"), file)
	if err == nil || !strings.Contains(err.Error(), "run make contract") {
		t.Errorf("got %v for a file with other bytes", err)
	}
}

// What wasm-tools complains of is said, and a program that is not there too.
func TestAssemblerSaysWhatFailed(t *testing.T) {
	for _, c := range []struct{ program, sentence string }{
		{"/nowhere/wasm-tools", "assemble some.wat: fork/exec /nowhere/wasm-tools: no such file or directory"},
		{"cat", "some.wat: No such file or directory"},
	} {
		_, err := assembler{c.program}.assemble(t.Context(), "some.wat")
		if err == nil || !strings.Contains(err.Error(), c.sentence) {
			t.Errorf("%s: got %v, want an error that says %q", c.program, err, c.sentence)
		}
	}
}

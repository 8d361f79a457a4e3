package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocumentedCommandsExist reads every command line of the documents and
// parses its flags.
func TestDocumentedCommandsExist(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range append(files, "../../README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if args, ok := strings.CutPrefix(strings.TrimSpace(line), "verbatim "); ok && strings.Contains(args, "--") {
				found++
				parseCommand(t, name, strings.Fields(args))
			}
		}
	}
	if found < 7 {
		t.Errorf("only %d command lines found", found)
	}
}

func parseCommand(t *testing.T, file string, args []string) {
	t.Helper()
	command, rest, err := newRoot().Find(args)
	if err != nil {
		t.Errorf("%s: verbatim %v: %v", file, args, err)
		return
	}
	if err := command.ParseFlags(rest); err != nil {
		t.Errorf("%s: verbatim %v: %v", file, args, err)
	}
	if err := command.ValidateRequiredFlags(); err != nil {
		t.Errorf("%s: verbatim %v: %v", file, args, err)
	}
}

// TestDocumentedTargetsExist: what the README tells to make is in the Makefile.
func TestDocumentedTargetsExist(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(text)) {
		if target, ok := strings.CutPrefix(strings.TrimSpace(line), "make "); ok && !strings.Contains(target, " ") {
			found++
			if !strings.Contains(string(makefile), "\n"+target+":") {
				t.Errorf("the Makefile has no target %s", target)
			}
		}
	}
	if found < 2 {
		t.Errorf("only %d make commands found in the README", found)
	}
}

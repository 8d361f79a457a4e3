package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// assembler runs wasm-tools.
type assembler struct {
	path string // of the program
}

// assemble gives the module that the file's text describes, without the names that the text has for people.
func (a assembler) assemble(ctx context.Context, file string) ([]byte, error) {
	module, err := a.run(ctx, nil, "parse", file)
	if err != nil {
		return nil, fmt.Errorf("assemble %s: %w", file, err)
	}
	if module, err = a.run(ctx, module, "strip", "--all"); err != nil {
		return nil, fmt.Errorf("strip module: %w", err)
	}
	return module, nil
}

// validate fails unless the module is valid WebAssembly of the first version, all that every Soroban host knows.
func (a assembler) validate(ctx context.Context, module []byte) error {
	if _, err := a.run(ctx, module, "validate", "--features=mvp"); err != nil {
		return fmt.Errorf("validate module: %w", err)
	}
	return nil
}

// run gives what wasm-tools prints when it reads the input.
func (a assembler) run(ctx context.Context, input []byte, arguments ...string) ([]byte, error) {
	var output, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, a.path, arguments...)
	cmd.Stdin = bytes.NewReader(input)
	cmd.Stdout = &output
	cmd.Stderr = &complaint
	if err := cmd.Run(); err != nil {
		if said := strings.TrimSpace(complaint.String()); said != "" {
			return nil, fmt.Errorf("%w: %s", err, said)
		}
		return nil, err
	}
	return output.Bytes(), nil
}

// Assemble makes contracts/audit_root.wasm from contracts/audit_root.wat: it has wasm-tools assemble the text, and appends
// the sections that describe the contract. The bytes depend on those two and on this program, not on the machine. It runs
// in the root of the repository.
//
//	go run ./contracts/assemble -wasm-tools PATH          write the module
//	go run ./contracts/assemble -wasm-tools PATH -check   compare it with the one that is there
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const (
	source = "contracts/audit_root.wat"
	target = "contracts/audit_root.wasm"
)

func main() {
	tools := flag.String("wasm-tools", "wasm-tools", "the program wasm-tools")
	check := flag.Bool("check", false, "compare with "+target+" and write nothing")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, assembler{*tools}, *check)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "assemble: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, tools assembler, check bool) error {
	module, err := tools.assemble(ctx, source)
	if err != nil {
		return err
	}
	if module, err = describe(module); err != nil {
		return err
	}
	if err := tools.validate(ctx, module); err != nil {
		return err
	}
	if check {
		return compare(module, target)
	}
	if err := os.WriteFile(target, module, 0o644); err != nil {
		return fmt.Errorf("write module: %w", err)
	}
	return nil
}

// compare fails unless the file has exactly these bytes.
func compare(module []byte, file string) error {
	have, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is not there: run make contract", file)
	}
	if err != nil {
		return fmt.Errorf("read module: %w", err)
	}
	if !bytes.Equal(have, module) {
		return fmt.Errorf("%s is not what its source and description give: run make contract", file)
	}
	return nil
}

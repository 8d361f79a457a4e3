package frozenclock

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Check says in one sentence why a program can't have the library's clock; nil: no
// reason is known. It looks at the file, and at the interpreter of a script, not at
// what these start. What can't be read is refused: whether the library reaches it
// is not known.
func (l *Library) Check(program string) error {
	f, err := os.Open(program)
	if err != nil {
		return fmt.Errorf("look at program: %w", err)
	}
	defer func() { _ = f.Close() }()
	interpreter, err := interpreterOf(f)
	if err != nil {
		return fmt.Errorf("look at program: %w", err)
	}
	if interpreter == "" {
		return l.checkImage(f)
	}
	g, err := os.Open(interpreter)
	if err != nil {
		return fmt.Errorf("look at interpreter of %s: %w", program, err)
	}
	defer func() { _ = g.Close() }()
	return l.checkImage(g)
}

// firstLine is how much of a script the kernel looks at.
const firstLine = 256

// interpreterOf returns what a script's first line names; "": it is no script.
func interpreterOf(f *os.File) (string, error) {
	head, err := io.ReadAll(io.NewSectionReader(f, 0, firstLine))
	if err != nil {
		return "", err
	}
	head, script := bytes.CutPrefix(head, []byte("#!"))
	if !script {
		return "", nil
	}
	head, _, _ = bytes.Cut(head, []byte("\n"))
	words := strings.Fields(string(head))
	if len(words) == 0 {
		return "", fmt.Errorf("%s: its first line names no interpreter", f.Name())
	}
	return words[0], nil
}

// checkImage looks at what the kernel loads.
func (l *Library) checkImage(f *os.File) error {
	image, err := elf.NewFile(f)
	if err != nil {
		return fmt.Errorf("look at program: %s is neither an ELF program nor a script of one: %w", f.Name(), err)
	}
	_, notGo := buildinfo.Read(f)
	loader := loaderOf(image)
	switch {
	case loader == "":
		return fmt.Errorf("%s is statically linked: it asks the kernel for the time, where a frozen clock can't stand between; let it read the clock header", f.Name())
	case notGo == nil:
		return fmt.Errorf("%s is written in Go: it asks the kernel for the time, where a frozen clock can't stand between; let it read the clock header", f.Name())
	case strings.HasPrefix(filepath.Base(loader), "ld-musl"):
		return fmt.Errorf("%s uses the C library musl, and libfaketime works with glibc; let it read the clock header", f.Name())
	case image.Class != l.class || image.Machine != l.machine:
		return fmt.Errorf("%s is for %v and libfaketime (%s) for %v; name one for the same machine with --library", f.Name(), image.Machine, l.Path, l.machine)
	}
	return checkRights(f)
}

// loaderOf is the dynamic loader that a program names; "": it is statically linked.
func loaderOf(image *elf.File) string {
	for _, p := range image.Progs {
		if p.Type == elf.PT_INTERP {
			path, err := io.ReadAll(p.Open())
			if err != nil {
				return ""
			}
			return strings.TrimRight(string(path), "\x00")
		}
	}
	return ""
}

// checkRights refuses a program that the loader keeps preloaded libraries from.
func checkRights(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("look at program: %w", err)
	}
	var more string
	switch size, err := unix.Fgetxattr(int(f.Fd()), "security.capability", nil); {
	case info.Mode()&os.ModeSetuid != 0:
		more = "setuid"
	case info.Mode()&os.ModeSetgid != 0:
		more = "setgid"
	case err == nil && size > 0:
		more = "given capabilities by its file"
	default:
		return nil
	}
	return fmt.Errorf("%s is %s: the loader ignores preloaded libraries there, and so the frozen clock; start it without the added rights", f.Name(), more)
}

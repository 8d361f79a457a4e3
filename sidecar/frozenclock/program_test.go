package frozenclock_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"verbatim/sidecar/frozenclock"
)

// image is an ELF file that has a header, and a loader's name if one is given.
func image(machine elf.Machine, loader string) []byte {
	const headerSize, programSize = 64, 56
	var b bytes.Buffer
	h := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
		Ehsize: headerSize, Phentsize: programSize, Phoff: headerSize, Shentsize: 64,
	}
	if loader == "" {
		_ = binary.Write(&b, binary.LittleEndian, h) // to a buffer
		return b.Bytes()
	}
	h.Phnum = 1
	_ = binary.Write(&b, binary.LittleEndian, h)
	_ = binary.Write(&b, binary.LittleEndian, elf.Prog64{
		Type: uint32(elf.PT_INTERP), Off: headerSize + programSize, Filesz: uint64(len(loader) + 1),
	})
	return append(b.Bytes(), loader+"\x00"...)
}

func TestPrograms(t *testing.T) {
	library, err := frozenclock.Find("")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	static := filepath.Join(dir, "static program")
	wanted := map[string]string{}
	for name, c := range map[string]struct {
		content []byte
		mode    os.FileMode
		want    string // "": it can have the clock
	}{
		"dynamic":         {own, 0o755, ""},
		"static program":  {image(elf.EM_X86_64, ""), 0o755, `static program is statically linked: .* let it read the clock header$`},
		"musl":            {image(elf.EM_X86_64, "/lib/ld-musl-x86_64.so.1"), 0o755, `musl uses the C library musl`},
		"another machine": {image(elf.EM_S390, "/lib/ld64.so.1"), 0o755, `is for EM_S390 and libfaketime \(.*\) for EM_`},
		"setuid":          {own, 0o755 | os.ModeSetuid, `setuid is setuid: the loader ignores`},
		"setgid":          {own, 0o755 | os.ModeSetgid, `setgid is setgid: the loader ignores`},
		"script":          {[]byte("#! /bin/sh -e\necho"), 0o755, ""},
		"setuid script":   {[]byte("#!/bin/sh\n"), 0o755 | os.ModeSetuid, ""}, // which Linux ignores
		"script of none":  {[]byte("#!\necho"), 0o755, `script of none: its first line names no interpreter$`},
		"script of a missing": {
			[]byte("#!/no/such/thing\n"), 0o755, `^look at interpreter of .*script of a missing: open /no/such/thing: no such file`,
		},
		"script of a static": {[]byte("#!" + filepath.Join(dir, "link")), 0o755, `link is statically linked`},
		"text":               {[]byte("echo"), 0o755, `is neither an ELF program nor a script of one`},
		"empty":              {nil, 0o755, `is neither an ELF program nor a script of one`},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		wanted[path] = c.want
	}
	if err := os.Symlink(static, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for path, want := range wanted {
		checkProgram(t, library, path, want)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	checkProgram(t, library, self, `is (statically linked|written in Go): it asks the kernel for the time`)
	checkProgram(t, library, filepath.Join(dir, "nothing"), `^look at program: open .*nothing: no such file`)
}

func checkProgram(t *testing.T, l *frozenclock.Library, path, want string) {
	t.Helper()
	err := l.Check(path)
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", path, err)
	case want != "" && (err == nil || !regexp.MustCompile(want).MatchString(err.Error())):
		t.Errorf("%s: %v; want %s", path, err, want)
	}
}

func TestLibraries(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	libc, err := filepath.Glob("/lib/*-linux-gnu/libc.so.6")
	if err != nil || len(libc) == 0 {
		t.Fatal(libc, err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "nothing"): `^find libfaketime: there is no .*nothing: install Debian's package faketime, or name the file libfaketimeMT.so.1 with --library$`,
		filepath.Join(dir, "a:b"):     `has a colon or a space`,
		text:                          `is no shared library`,
		libc[0]:                       `is another library; name the file libfaketimeMT.so.1$`,
	} {
		if _, err := frozenclock.Find(path); err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
			t.Errorf("%s: %v; want %s", path, err, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	library, err := frozenclock.Find("")
	if err != nil {
		t.Fatal(err)
	}
	c := newClock(t, 1)
	got := library.Environment([]string{
		"HOME=/root", "LD_PRELOAD=/lib/other.so", "FAKETIME=+1d", "FAKETIME_SHARED=/a /b", "NO_FAKE_STAT=", "EMPTY=",
	}, c)
	want := []string{
		"HOME=/root", "EMPTY=", "LD_PRELOAD=" + library.Path + ":/lib/other.so", "FAKETIME_TIMESTAMP_FILE=" + c.Path(),
		"FAKETIME_FMT=%s", "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

package frozenclock

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// name is of the variant that is safe for programs with several threads.
const name = "libfaketimeMT.so.1"

// usualPlaces are where distributions put it: Debian first, by its architecture.
func usualPlaces() (places []string) {
	multiarch := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]
	for _, dir := range []string{"/usr/lib/" + multiarch, "/usr/lib64", "/usr/lib", "/usr/local/lib"} {
		places = append(places, filepath.Join(dir, "faketime", name))
	}
	return places
}

// Library is a libfaketime on this machine.
type Library struct {
	// Path is absolute.
	Path string
	// Old is set for a release before 0.9.11, as Debian 12 has it: with an unfaked
	// monotonic clock its clock_nanosleep fails for a sleep until a time, which is
	// what Python's time.sleep is from 3.11 on.
	Old bool

	class   elf.Class
	machine elf.Machine
}

// Find returns the library at a path, or, if that is empty, at one of its usual
// places.
func Find(path string) (*Library, error) {
	places := []string{path}
	if path == "" {
		places = usualPlaces()
	}
	for _, place := range places {
		l, err := open(place)
		if !errors.Is(err, fs.ErrNotExist) {
			return l, err
		}
	}
	return nil, fmt.Errorf("find libfaketime: there is no %s: install Debian's package faketime, or name the file %s with --library",
		strings.Join(places, ", no "), name)
}

func open(path string) (*Library, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open libfaketime: %w", err)
	}
	if strings.ContainsAny(path, ": ") {
		return nil, fmt.Errorf("open libfaketime: %q has a colon or a space, which LD_PRELOAD can't hold; name another path", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open libfaketime: %w", err)
	}
	defer func() { _ = f.Close() }()
	image, err := elf.NewFile(f)
	if err != nil {
		return nil, fmt.Errorf("open libfaketime: %s is no shared library: %w", path, err)
	}
	symbols, err := image.DynamicSymbols()
	if err != nil {
		return nil, fmt.Errorf("open libfaketime: %s: %w", path, err)
	}
	defines := func(symbol string) bool {
		return slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == symbol && s.Section != elf.SHN_UNDEF })
	}
	if !defines("clock_gettime") || defines("malloc") {
		return nil, fmt.Errorf("open libfaketime: %s is another library; name the file %s", path, name)
	}
	// A release has no number in it; 0.9.11 was the first with this one.
	return &Library{Path: path, Old: !defines("sem_clockwait"), class: image.Class, machine: image.Machine}, nil
}

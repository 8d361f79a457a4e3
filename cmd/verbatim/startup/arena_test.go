package startup

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

// arenaSize is what the C library reserves for an arena other than the first, at an
// address that is a multiple of it (glibc's malloc/arena.c, HEAP_MAX_SIZE).
const arenaSize = 64 << 20

// TestMain is also the program whose arenas are counted.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && !strings.HasPrefix(os.Args[1], "-") {
		fmt.Print(arenas())
		return
	}
	m.Run()
}

// arenas counts those that several threads have.
func arenas() (count int) {
	var started, done sync.WaitGroup
	for range 4 {
		started.Add(1)
		done.Go(func() {
			runtime.LockOSThread()
			started.Done()
			started.Wait()
		})
	}
	done.Wait()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		panic(err)
	}
	// Go's heap looks the same.
	heap := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(maps)))) / arenaSize * arenaSize
	var first, last uint64 // of an arena's used part
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err != nil {
			panic(err)
		}
		if from == last && strings.Contains(line, " ---p ") && first%arenaSize == 0 && first != heap && to-first == arenaSize {
			count++
		}
		first, last = from, to
	}
	return count
}

// A short command's threads share an arena, and serve's do not.
func TestArenas(t *testing.T) {
	for name, c := range map[string]struct {
		argument, max string
		own           bool
	}{
		"a command":        {argument: "query"},
		"serve":            {argument: "serve", own: true},
		"a number is told": {argument: "query", max: "8", own: true},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], c.argument)
			cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
			if c.max != "" {
				cmd.Env = append(cmd.Env, "MALLOC_ARENA_MAX="+c.max)
			}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if own := string(out) != "0"; own != c.own {
				t.Errorf("%s arenas beside the first", out)
			}
		})
	}
}

package damage

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"verbatim/tests/mesh"
)

var seed = flag.Uint64("flips.seed", 0, "choose the same flips again; 0: others each time")

const (
	// Each file gets that many flips at least, however small.
	flipsAtLeast = 8
	// A session is about 40 entries, and Merkle nodes are stored from 256 on.
	sessions = 8
)

// flip is one bit of one file.
type flip struct {
	file string // relative to the log
	at   int64
	bit  int
}

func (f flip) String() string { return fmt.Sprintf("%s %d %d", f.file, f.at, f.bit) }

// TestEveryByte flips bits over all files of a closed log, and of one that was
// not closed.
func TestEveryByte(t *testing.T) {
	for _, c := range []struct {
		name, last string
		flips      int
	}{{"closed", "record", 2000}, {"not closed", "abandon", 500}} {
		t.Run(c.name, func(t *testing.T) {
			scribe, err := mesh.Build(t.Context(), "./tests/scribe", t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "log")
			run(t, scribe, "create", dir)
			for range sessions {
				run(t, scribe, "record", dir)
			}
			run(t, scribe, c.last, dir)
			if *seed == 0 {
				*seed = uint64(time.Now().UnixNano())
			}
			t.Logf("to choose the same flips: -args -flips.seed=%d", *seed)
			flipAll(t, scribe, dir, choose(files(t, dir), c.flips, rand.New(rand.NewPCG(*seed, 0))))
		})
	}
}

func run(t *testing.T, scribe, command, dir string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), scribe, command, dir).CombinedOutput(); err != nil {
		t.Fatalf("scribe %s: %v: %s", command, err, out)
	}
}

// files are those that have a bit to flip, and their sizes.
func files(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	sizes := map[string]int64{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if info.Size() > 0 {
			sizes[name] = info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sizes
}

// choose takes some flips, at least a share of each file, the rest by size.
func choose(sizes map[string]int64, flips int, random *rand.Rand) (list []flip) {
	type file struct {
		name string
		size int64
	}
	var all []file
	total := int64(0)
	for name, size := range sizes {
		all = append(all, file{name, size})
		total += size
	}
	slices.SortFunc(all, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	take := func(f file, at int64) { list = append(list, flip{f.name, at, random.IntN(8)}) }
	for _, f := range all {
		for range flipsAtLeast {
			take(f, random.Int64N(f.size))
		}
	}
	for len(list) < flips {
		at := random.Int64N(total)
		for _, f := range all {
			if at < f.size {
				take(f, at)
				break
			}
			at -= f.size
		}
	}
	return list
}

// tally counts verdicts by kind of file.
type tally struct {
	mu     sync.Mutex
	counts map[string]map[string]int
}

// flipAll has children flip and judge, each on a copy of its own.
func flipAll(t *testing.T, scribe, dir string, list []flip) {
	counted := &tally{counts: map[string]map[string]int{}}
	work := make(chan flip)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		place := t.TempDir()
		workers.Go(func() {
			var c *child
			for f := range work {
				if c == nil {
					c = start(t, scribe, dir, place)
				}
				verdict, err := c.judge(f)
				if err != nil {
					t.Errorf("%s: the reader crashed: %v", f, err)
					verdict, c = "crashed", nil
				} else if strings.HasPrefix(verdict, "wrong") {
					t.Errorf("%s: %s", f, verdict)
				}
				counted.add(f, verdict)
			}
			if c == nil {
				return
			}
			if err := c.end(); err != nil {
				t.Errorf("end the reader: %v", err)
			}
		})
	}
	for _, f := range list {
		work <- f
	}
	close(work)
	workers.Wait()
	counted.report(t)
}

func (c *tally) add(f flip, verdict string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kind := strings.Trim(filepath.Base(f.file), "-0123456789")
	if c.counts[kind] == nil {
		c.counts[kind] = map[string]int{}
	}
	word, _, _ := strings.Cut(verdict, ":")
	c.counts[kind][word]++
}

// report prints the counts and requires both verdicts to have been given: files
// that nobody reads are harmless, entries are not.
func (c *tally) report(t *testing.T) {
	t.Helper()
	sum := map[string]int{}
	for kind, words := range c.counts {
		t.Logf("%s: %v", kind, words)
		for word, n := range words {
			sum[word] += n
		}
	}
	t.Logf("in all: %v", sum)
	if sum["found"] == 0 || sum["harmless"] == 0 {
		t.Error("not both verdicts were given")
	}
}

// child is a scribe that flips bits of its copy of the log.
type child struct {
	cmd  *exec.Cmd
	to   io.WriteCloser
	from *bufio.Scanner
	errs *bytes.Buffer
}

func start(t *testing.T, scribe, dir, place string) *child {
	c, err := startChild(t, scribe, dir, filepath.Join(place, "log"))
	if err != nil {
		t.Errorf("start the reader: %v", err)
		runtime.Goexit()
	}
	return c
}

func startChild(t *testing.T, scribe, dir, to string) (*child, error) {
	if err := errors.Join(os.RemoveAll(to), os.CopyFS(to, os.DirFS(dir))); err != nil {
		return nil, err
	}
	c := &child{cmd: exec.CommandContext(t.Context(), scribe, "flips", to), errs: &bytes.Buffer{}}
	c.cmd.Stderr = c.errs
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.to, c.from = in, bufio.NewScanner(out)
	c.from.Buffer(nil, 1<<20)
	return c, c.cmd.Start()
}

// judge is one flip's verdict; an error if the child ended over it.
func (c *child) judge(f flip) (string, error) {
	_, err := fmt.Fprintln(c.to, f)
	if err == nil && c.from.Scan() {
		return c.from.Text(), nil
	}
	return "", fmt.Errorf("%w: %s", errors.Join(err, c.from.Err(), c.cmd.Wait()), c.errs)
}

func (c *child) end() error { return errors.Join(c.to.Close(), c.cmd.Wait()) }

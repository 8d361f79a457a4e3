package mesh

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"
)

// startTimeout bounds each start in a test.
const startTimeout = 60 * time.Second

// binaries is the directory of what Binary builds, removed by Main.
var binaries struct {
	sync.Mutex
	dir string
}

// Main wraps m for goleak.VerifyTestMain: it removes what Binary built when the
// tests are over.
func Main(m *testing.M) interface{ Run() int } { return cleaner{m} }

type cleaner struct{ m *testing.M }

func (c cleaner) Run() int {
	defer func() {
		binaries.Lock()
		defer binaries.Unlock()
		if binaries.dir != "" {
			_ = os.RemoveAll(binaries.dir)
		}
	}()
	return c.m.Run()
}

// Binary builds the program in pkg once for all tests of this process. The
// process's TestMain must use Main.
func Binary(t testing.TB, pkg string) string {
	t.Helper()
	path, err := Build(context.Background(), pkg, binariesDir(t))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func binariesDir(t testing.TB) string {
	t.Helper()
	binaries.Lock()
	defer binaries.Unlock()
	if binaries.dir == "" {
		dir, err := os.MkdirTemp("", "verbatim-test-") //nolint:usetesting // other tests use it after this one
		if err != nil {
			t.Fatal(err)
		}
		binaries.dir = dir
	}
	return binaries.dir
}

// StartTestEnvoy starts Envoy for one test. The test fails if Envoy does not stop well.
func StartTestEnvoy(t testing.TB, o EnvoyOptions) *Envoy {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	e, err := StartEnvoy(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	stopAfter(t, e.Process)
	return e
}

// StartTestPipeline builds and starts the example pipeline for one test.
func StartTestPipeline(t testing.TB, o PipelineOptions) *Pipeline {
	t.Helper()
	o.Binary = Binary(t, "./tests/pipeline")
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	p, err := StartPipeline(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	stopAfter(t, p.Process)
	return p
}

// stopAfter stops p at the test's end, unless the test has ended it itself.
func stopAfter(t testing.TB, p *Process) {
	t.Cleanup(func() {
		select {
		case <-p.Done():
		default:
			if err := p.Stop(); err != nil {
				t.Error(err)
			}
		}
	})
}

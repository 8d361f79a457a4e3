package mesh

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// builds remembers what this process has built: Build's key to *build.
var builds sync.Map

type buildKey struct{ pkg, outDir string }

type build struct {
	once sync.Once
	path string
	err  error
}

// Build builds the program in package pkg, a path from the repository's root
// such as ./tests/pipeline, into outDir and returns the binary's path. It does
// so once in a process for each pair of pkg and outDir, without the race
// detector whatever the caller was built with.
func Build(ctx context.Context, pkg, outDir string) (string, error) {
	entry, _ := builds.LoadOrStore(buildKey{pkg, outDir}, &build{})
	b := entry.(*build)
	b.once.Do(func() { b.path, b.err = runBuild(ctx, pkg, outDir) })
	return b.path, b.err
}

func runBuild(ctx context.Context, pkg, outDir string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(filepath.Join(outDir, filepath.Base(pkg)))
	if err != nil {
		return "", fmt.Errorf("build %s: %w", pkg, err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-race=false", "-o", path, pkg)
	cmd.Dir = root
	cmd.Env = os.Environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", pkg, err, out)
	}
	return path, nil
}

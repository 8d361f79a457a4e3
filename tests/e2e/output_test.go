package e2e

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"verbatim/tests/mesh"
)

// TestServeOutlivesTheReaderOfItsOutput: its next line goes nowhere, and it still ends as
// it should, with the log sealed.
func TestServeOutlivesTheReaderOfItsOutput(t *testing.T) {
	binary, dir := mesh.Binary(t, "./cmd/verbatim"), t.TempDir()
	log := filepath.Join(dir, "log")
	if err := mesh.InitLog(t.Context(), binary, log); err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	serve := exec.CommandContext(ctx, binary, "serve", "--log", log, "--socket", filepath.Join(dir, "s"),
		"--admin", "127.0.0.1:0", "--pipeline.address", "127.0.0.1:1")
	serve.Stderr = write
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(read)
	for lines.Scan() && !strings.Contains(lines.Text(), "msg=serving") {
	}
	if err := read.Close(); err != nil {
		t.Fatal(err)
	}
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil {
		t.Errorf("serve: %v", err)
	}
	if out, code, err := mesh.Run(t.Context(), binary, "verify", "--log", log); err != nil || code != 0 || !strings.Contains(out, "\nCHAINED, SEALED through") {
		t.Errorf("verify: exit %d, %v:\n%s", code, err, out)
	}
}

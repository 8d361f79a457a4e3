package soroban

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
)

// Passphrase is what the node's network calls itself.
const Passphrase = "Verbatim Test Network ; November 2026"

// ErrNotBuilt says that the node's program is not there: it needs a Rust toolchain.
var ErrNotBuilt = errors.New("the Soroban node is not built: make builds it where there is a Rust toolchain")

// Options are a node's settings.
type Options struct {
	// CloseEvery is the time between two ledgers; 0: only CloseLedgers closes any.
	CloseEvery time.Duration
	// Accounts are there from the start, with this many stroops.
	Accounts map[string]int64
}

// Node is a running node. Its methods are safe for use by several goroutines.
type Node struct {
	url     string
	process *exec.Cmd
	stdin   io.Closer
	ended   chan struct{}
}

// Program is where the node's program is, built or not.
func Program() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", ".build", "soroban", "release", "soroban-node")
}

// Run starts a node, which serves on loopback until Stop or the end of this process.
// Errors: ErrNotBuilt.
func Run(ctx context.Context, o Options) (*Node, error) {
	if _, err := os.Stat(Program()); err != nil {
		return nil, ErrNotBuilt
	}
	every := "never"
	if o.CloseEvery > 0 {
		every = strconv.FormatInt(o.CloseEvery.Milliseconds(), 10)
	}
	args := []string{"--passphrase", Passphrase, "--close-every", every}
	for address, stroops := range o.Accounts {
		args = append(args, "--account", fmt.Sprintf("%s:%d", address, stroops))
	}
	n := &Node{process: exec.Command(Program(), args...), ended: make(chan struct{})} //nolint:noctx // Stop ends it, later than ctx
	n.process.Stderr = os.Stderr
	// The node ends when this pipe closes, with this process at the latest.
	stdin, err := n.process.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start Soroban node: %w", err)
	}
	n.stdin = stdin
	stdout, err := n.process.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start Soroban node: %w", err)
	}
	if err := n.process.Start(); err != nil {
		return nil, fmt.Errorf("start Soroban node: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = n.process.Process.Kill() })()
	ready, err := bufio.NewReader(stdout).ReadBytes('\n')
	var said struct{ URL string }
	if err == nil {
		err = json.Unmarshal(ready, &said)
	}
	go func() { // ends with the process
		_ = n.process.Wait() // it is stopped by closing its input
		close(n.ended)
	}()
	if err != nil {
		n.Stop()
		return nil, fmt.Errorf("start Soroban node: %w", errors.Join(err, context.Cause(ctx)))
	}
	n.url = said.URL
	return n, nil
}

// URL is where the node answers.
func (n *Node) URL() string { return n.url }

// Stop ends the node and returns when it is gone. It may be called again.
func (n *Node) Stop() {
	_ = n.stdin.Close()
	<-n.ended
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"verbatim/replay"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/evidence"
)

// divergenceProof writes what a replay found into a file. What goes wrong with it
// doesn't change the verdict.
type divergenceProof struct {
	path  string // empty: none is wanted
	found *replay.Difference
	err   error
}

// check refuses a file that can't be made, before anything is sent.
func (p *divergenceProof) check(path string) error {
	p.path = path
	if path == "" {
		return nil
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--evidence %s: there is something already, and it is not replaced: name a new file", path)
	}
	return nil
}

func (p *divergenceProof) diverged(d replay.Difference) { p.found = &d }

// writeSynced writes the file, if there is a divergence to write about.
func (p *divergenceProof) writeSynced(ctx context.Context, v *auditlog.View, reason, image string) {
	if p.path == "" || p.found == nil {
		return
	}
	f, err := evidence.Prove(ctx, v, p.found.RequestOffset, evidence.Options{Divergence: &evidence.Divergence{
		Output: p.found.Output, Reason: reason, TargetImage: image, At: time.Now(), Version: version(),
	}})
	if err == nil {
		err = f.WriteSynced(p.path)
	}
	p.err = err
}

// print says what became of the file.
func (p *divergenceProof) print(w io.Writer) {
	switch {
	case p.path == "":
	case p.err != nil:
		_ = printLine(w, "verbatim: no evidence was written: %v", p.err)
	case p.found == nil:
		_ = printLine(w, "verbatim: no evidence was written: there is no divergence of an answer to write about")
	default:
		_ = printLine(w, "verbatim: evidence of the divergence is in %s", p.path)
	}
}

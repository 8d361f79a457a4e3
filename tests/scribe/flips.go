package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// flips answers each line "FILE BYTE BIT" with what a reader makes of the log while
// that bit is flipped:
//
//	found REASON      verify found it, or the log was refused
//	harmless          all that can be read is the same
//	wrong REASON      neither
//
// What was flipped is flipped back.
func flips(ctx context.Context, dir string, lines io.Reader, out words) error {
	honest, err := readAll(ctx, dir)
	if err != nil {
		return fmt.Errorf("read it unhurt: %w", err)
	}
	for in := bufio.NewScanner(lines); in.Scan(); {
		var name string
		var at int64
		var bit int
		if _, err := fmt.Sscanf(in.Text(), "%s %d %d", &name, &at, &bit); err != nil {
			return fmt.Errorf("read flip %q: %w", in.Text(), err)
		}
		path := filepath.Join(dir, name)
		if err := flip(path, at, bit); err != nil {
			return err
		}
		out.say("%s", judge(ctx, dir, honest))
		if err := flip(path, at, bit); err != nil {
			return err
		}
	}
	return nil
}

func flip(path string, at int64, bit int) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	b := make([]byte, 1)
	if _, err = f.ReadAt(b, at); err == nil {
		b[0] ^= 1 << bit
		_, err = f.WriteAt(b, at)
	}
	return errors.Join(err, f.Close())
}

// errFound is what verify says of a log that it finds something in.
var errFound = errors.New("found")

func judge(ctx context.Context, dir string, honest []byte) string {
	got, err := readAll(ctx, dir)
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case strings.Contains(text, "\n"):
		return fmt.Sprintf("wrong: not one sentence: %q", text)
	case errors.Is(err, errFound):
		return text
	case err != nil:
		return "wrong: verify finds nothing, but " + text
	case !bytes.Equal(got, honest):
		return "wrong: verify finds nothing, and something else is read"
	}
	return "harmless"
}

// readAll is the digest of a log that verify finds nothing in.
func readAll(ctx context.Context, dir string) ([]byte, error) {
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFound, err)
	}
	defer v.Close()
	r, err := verify.Verify(ctx, v, verify.Options{})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFound, err)
	}
	if !r.OK() {
		return nil, fmt.Errorf("%w: %v", errFound, r.Findings)
	}
	return digest(ctx, v)
}

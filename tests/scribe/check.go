package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// check examines a log that was hurt while it was written: it can be read and is a
// valid prefix with all that was said, it can be written, and then it is still.
// One whose creation was not acknowledged may be no log at all.
func check(ctx context.Context, dir string, heard io.Reader) error {
	s := newSaid()
	if err := s.hear(heard); err != nil {
		return err
	}
	if s.id == "" {
		again, err := halfMade(dir)
		if err != nil || !again {
			return err
		}
	}
	if err := examine(ctx, dir, s); err != nil {
		return fmt.Errorf("read as it is: %w", err)
	}
	var more bytes.Buffer
	if err := record(ctx, dir, true, words{&more}); err != nil {
		return fmt.Errorf("write on: %w: %s", err, &more)
	}
	if err := s.hear(&more); err != nil {
		return err
	}
	if err := examine(ctx, dir, s); err != nil {
		return fmt.Errorf("read after more was written: %w", err)
	}
	return nil
}

// halfMade looks at a directory in which creating a log failed. Either there is a
// log, which is examined like any other, or one can be made, or both refuse in a
// sentence; then log is false.
func halfMade(dir string) (log bool, err error) {
	v, err := auditlog.OpenReadOnly(dir)
	if err == nil {
		v.Close()
		return true, nil
	}
	if !errors.Is(err, auditlog.ErrNotALog) && !errors.Is(err, auditlog.ErrNotFound) {
		return false, fmt.Errorf("what is half made is taken for a log: %w", err)
	}
	if err := sentence(err, dir); err != nil {
		return false, err
	}
	_, err = auditlog.Create(dir, auditlog.Origin{Interval: interval})
	if errors.Is(err, auditlog.ErrExists) {
		return false, sentence(err, dir)
	}
	return err == nil, err
}

// sentence requires one line that names the directory.
func sentence(err error, dir string) error {
	if text := err.Error(); strings.Contains(text, "\n") || !strings.Contains(text, dir) {
		return fmt.Errorf("not one sentence that names %s: %q", dir, text)
	}
	return nil
}

// examine verifies a log and looks for all that was said.
func examine(ctx context.Context, dir string, s *said) error {
	v, err := auditlog.OpenReadOnly(dir)
	if err != nil {
		return err
	}
	defer v.Close()
	r, err := verify.Verify(ctx, v, verify.Options{})
	if err != nil {
		return err
	}
	if !r.OK() {
		return fmt.Errorf("verify: %v", r.Findings)
	}
	return s.held(v)
}

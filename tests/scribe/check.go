package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// check examines a log that was hurt while a command wrote it: it can be read and is a
// valid prefix with all that was said, it can be written, and then it is still. What
// the command did not bring to its end is brought there. A log whose making was not
// acknowledged may be none at all.
func check(ctx context.Context, dir, command string, heard io.Reader) error {
	s := newSaid()
	if err := s.hear(heard); err != nil {
		return err
	}
	if !s.there {
		again, err := halfMade(ctx, dir, command)
		if err != nil || !again {
			return err
		}
	}
	if err := s.examine(ctx, dir); err != nil {
		return fmt.Errorf("read as it is: %w", err)
	}
	goOn := "record"
	if command == "prune" && s.pruned == 0 {
		goOn = command
	}
	var more bytes.Buffer
	if err := commands[goOn](ctx, dir, words{&more}); err != nil {
		return fmt.Errorf("write on: %w: %s", err, &more)
	}
	if err := s.hear(&more); err != nil {
		return err
	}
	if err := s.examine(ctx, dir); err != nil {
		return fmt.Errorf("read after more was written: %w", err)
	}
	return nil
}

// halfMade looks at a directory in which making a log failed. Either there is a log,
// which is examined like any other, or one can be made, or both refuse in a sentence.
// One that is loaded can be made once the directory is empty again; of one that is
// created nothing is lost, and log is false.
func halfMade(ctx context.Context, dir, command string) (log bool, err error) {
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
	var out bytes.Buffer
	if err = commands[command](ctx, dir, words{&out}); err == nil {
		return true, nil
	}
	if !errors.Is(err, auditlog.ErrExists) {
		return false, fmt.Errorf("make it again: %w: %s", err, &out)
	}
	if err = sentence(err, dir); err != nil || command == "create" {
		return false, err
	}
	if err = os.RemoveAll(dir); err == nil {
		err = commands[command](ctx, dir, words{&out})
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
func (s *said) examine(ctx context.Context, dir string) error {
	if s.pruned > 0 {
		if err := s.gone(dir); err != nil {
			return err
		}
	}
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
	if _, cut := v.Cut(); cut && !r.Pruned.Complete {
		return fmt.Errorf("verify can't tell what has to stay of what is pruned: %+v", r.Pruned)
	}
	return s.held(v)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/checkpoint"
	"verbatim/sidecar/verify"
)

// signedCheck is what verify knows of signatures beside the log itself.
type signedCheck struct {
	keys, checkpoint string // files
	ring             *checkpoint.Keyring
	kept             *checkpoint.Note
	walk             checkpoint.Walk
}

func (c *signedCheck) bind(fs *pflag.FlagSet) {
	fs.StringVar(&c.keys, "keys", "", "`file` with the verifier keys that you trust, one a line")
	fs.StringVar(&c.checkpoint, "checkpoint", "", "`file` with a signed checkpoint that you kept, which the log must contain")
}

// read reads the files.
func (c *signedCheck) read() (err error) {
	if c.keys != "" {
		if c.ring, err = checkpoint.ReadKeyring(c.keys); err != nil {
			return fmt.Errorf("--keys: %w", err)
		}
	}
	if c.checkpoint != "" {
		if c.kept, err = readNote(c.checkpoint); err != nil {
			return fmt.Errorf("--checkpoint: %w", err)
		}
	}
	return nil
}

// readNote reads a signed checkpoint from a file.
func readNote(path string) (*checkpoint.Note, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, checkpoint.MaxNote+1))
	err = errors.Join(err, f.Close())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	n, err := checkpoint.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return n, nil
}

// signatures are a checkpoint.Standing and what it rests on.
type signatures struct {
	*checkpoint.Standing
	keys  string           // the keyring's file; empty: the log's own word
	names bool             // the log names keys
	kept  *checkpoint.Note // nil: none was given
}

// compare is nil if the log has nothing to do with signatures and the reader did
// not ask for any. whole says that the chain holds to its end.
func (c *signedCheck) compare(ctx context.Context, v *auditlog.View, whole bool) (*signatures, error) {
	s, err := checkpoint.Check(ctx, v, &c.walk, checkpoint.Trusted{Ring: c.ring, Whole: whole})
	if err != nil {
		return nil, err
	}
	if c.kept != nil {
		c.compareKept(s, v, whole)
	} else if c.ring == nil && !c.walk.Names() && s.OK() {
		return nil, nil //nolint:nilnil // nothing was asked for
	}
	return &signatures{s, c.keys, c.walk.Names(), c.kept}, nil
}

func (c *signedCheck) compareKept(s *checkpoint.Standing, v *auditlog.View, whole bool) {
	var found []verify.Finding
	if c.ring != nil {
		if f := c.ring.Finding(c.kept); f != nil {
			found = append(found, *f)
		}
	}
	if f := c.walk.Contains(c.kept, v.ID(), whole); f != nil {
		found = append(found, *f)
	}
	s.Findings = append(found, s.Findings...)
}

// by says whose keys the signatures were checked with.
func (s *signatures) by() string {
	if s.keys == "" {
		return "keys that the log itself names"
	}
	return "keys of " + s.keys
}

func (s *signatures) print(p *printer) {
	through := "nothing"
	if s.Through != nil {
		ids := make([]string, len(s.By))
		for i, id := range s.By {
			ids[i] = id.String()
		}
		through = fmt.Sprintf("offsets 0 to %d, by %s (%d notes checked with %s)", s.Through.Offset, strings.Join(ids, " and "), s.Notes, s.by())
	}
	p.line("signed           %s", through)
	if s.NotYet > 0 {
		p.line("not signed yet   %d checkpoints, the oldest sealed at %s", s.NotYet, s.Since.UTC().Format(time.RFC3339))
	}
	if s.Unsigned > 0 {
		p.line("without a key    %d checkpoints, made while no key was in force", s.Unsigned)
	}
	if s.kept != nil {
		checked := ", its signature checked with " + s.by()
		if s.keys == "" {
			checked = "; ITS SIGNATURE WAS NOT CHECKED: --keys says whom you trust"
		}
		p.line("kept checkpoint  %d, size %d%s", s.kept.ID, s.kept.Size(), checked)
	}
}

// verdict is what agrees, when nothing differs.
func (s *signatures) verdict() string {
	text := "not signed"
	switch {
	case s.Through != nil:
		text = fmt.Sprintf("signed through %d by %s", s.Through.Offset, s.by())
	case s.names:
		text = "not signed yet"
	}
	if s.kept != nil {
		text += fmt.Sprintf(", with the kept checkpoint at %d in it", s.kept.Offset)
	}
	return text
}

func (s *signatures) json() map[string]any {
	findings := s.Findings
	if findings == nil {
		findings = []verify.Finding{}
	}
	m := map[string]any{
		"keys": "log", "notes": s.Notes, "not_yet": s.NotYet, "without_key": s.Unsigned, "findings": findings,
	}
	if s.keys != "" {
		m["keys"] = "keyring"
	}
	if s.Through != nil {
		by := make([]string, len(s.By))
		for i, id := range s.By {
			by[i] = id.String()
		}
		m["through"], m["by"] = s.Through.Offset, by
	}
	if s.NotYet > 0 {
		m["not_yet_since"] = s.Since.UTC()
	}
	if s.kept != nil {
		m["kept_checkpoint"] = map[string]any{"id": s.kept.ID, "size": s.kept.Size(), "signature_checked": s.keys != ""}
	}
	return m
}

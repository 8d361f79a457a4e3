package main

import (
	"context"
	"fmt"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// stateEvery is how often a verification that runs keeps how far it came.
const stateEvery = 5 * time.Second

// earlierCheck is where an earlier verification ended, and how far this one came.
type earlierCheck struct {
	file   string // empty: none is kept
	state  *verify.State
	view   *auditlog.View
	newest verify.Point // zero: no checkpoint was reached
	kept0  time.Time
	failed error
}

// read reads the file; a file that is not there begins at the first entry.
func (c *earlierCheck) read(v *auditlog.View) (err error) {
	c.view, c.kept0 = v, time.Now()
	if c.file == "" {
		return nil
	}
	if c.state, err = verify.ReadState(c.file); err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	if c.state != nil && c.state.LogID != v.ID() {
		return fmt.Errorf("--state: %s is of log %s, this one is %s; name another file for each log", c.file, c.state.LogID, v.ID())
	}
	return nil
}

// point is where to go on; nil: nowhere.
func (c *earlierCheck) point() *verify.Point {
	if c.state == nil {
		return nil
	}
	return &c.state.Point
}

// first is the first offset that will be checked.
func (c *earlierCheck) first(v *auditlog.View) uint64 {
	if c.state == nil || c.state.Point.Offset > v.Tip().Offset {
		return v.First()
	}
	return max(v.First(), c.state.Point.Offset)
}

// kept calls f for what is kept of the part of a log that was pruned, if it is checked
// from there on.
func (c *earlierCheck) kept(ctx context.Context, v *auditlog.View, f func(auditlog.Entry, *logv1.Event)) error {
	if c.first(v) != v.First() {
		return nil
	}
	for e, err := range v.Kept(ctx) {
		if err != nil {
			return fmt.Errorf("read what is kept: %w", err)
		}
		ev, err := e.Event()
		if err != nil {
			return fmt.Errorf("read what is kept: %w: %w", auditlog.ErrDamaged, err)
		}
		f(e, ev)
	}
	return nil
}

// reached is for verify.Options.Reached.
func (c *earlierCheck) reached(p verify.Point) {
	c.newest = p
	if c.file != "" && time.Since(c.kept0) > stateEvery && c.failed == nil {
		c.failed = c.write()
	}
}

// keep writes how far a verification came that found nothing wrong. One that did
// leaves the file: the next finds the same again.
func (c *earlierCheck) keep(fine bool) error {
	if c.file == "" || !fine || c.newest.Offset == 0 {
		return nil
	}
	return c.write()
}

func (c *earlierCheck) write() error {
	c.kept0 = time.Now()
	if err := (verify.State{LogID: c.view.ID(), Point: c.newest}).WriteSynced(c.file); err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	return nil
}

// codeStale: the log's newest checkpoint, or the newest that somebody vouches for, is
// older than the reader allows.
const codeStale verify.Code = "stale"

// stale adds a finding for what has fallen silent.
func stale(d verdict, v *auditlog.View, maxAge time.Duration, now time.Time) {
	if maxAge <= 0 {
		return
	}
	old := func(at time.Time) bool { return now.Sub(at) > maxAge }
	list, err := v.LastCheckpoint()
	r := d.report
	switch {
	case err != nil:
		r.Findings = append(r.Findings, verify.Finding{Offset: r.Tip, Code: codeStale, Text: fmt.Sprintf("the newest checkpoint can't be read: %v", err)})
	case list == nil:
		r.Findings = append(r.Findings, verify.Finding{Offset: r.Tip, Code: codeStale, Text: "no checkpoint seals anything"})
	case old(time.UnixMilli(int64(list.ClockMS))):
		r.Findings = append(r.Findings, verify.Finding{Offset: list.Offset, Code: codeStale, Text: fmt.Sprintf(
			"the newest checkpoint is of %s, more than %s ago: the log has fallen silent, or its end is missing", time.UnixMilli(int64(list.ClockMS)).UTC().Format(time.RFC3339), maxAge)})
	}
	if s := d.standing; s != nil && s.NotYet > 0 && old(s.Since) {
		s.Findings = append(s.Findings, verify.Finding{Offset: r.SealedThrough, Code: codeStale, Text: fmt.Sprintf(
			"%d checkpoints are not %s, the oldest of %s, more than %s ago", s.NotYet, s.rung, s.Since.UTC().Format(time.RFC3339), maxAge)})
	}
	if s := d.signed; s != nil && s.NotYet > 0 && old(s.Since) {
		s.Findings = append(s.Findings, verify.Finding{Offset: r.SealedThrough, Code: codeStale, Text: fmt.Sprintf(
			"%d checkpoints are not signed, the oldest of %s, more than %s ago", s.NotYet, s.Since.UTC().Format(time.RFC3339), maxAge)})
	}
}

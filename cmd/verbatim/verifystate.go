package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
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
	failed error // why it is not kept how far this one came while it runs
	// What was checked before and is another now.
	findings []verify.Finding
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
	return c.readable(v)
}

// readable drops a state whose checkpoint can't be read any more, which is a finding:
// nothing goes on from there, and what is wrong is found from the beginning on.
func (c *earlierCheck) readable(v *auditlog.View) error {
	if !c.reaches(v) {
		return nil
	}
	at := c.state.Point.Offset
	e, err := v.Entry(at)
	if err == nil {
		_, err = e.Event()
	}
	switch {
	case err == nil || errors.Is(err, auditlog.ErrPruned):
		return nil
	case errors.Is(err, auditlog.ErrReopened):
		return fmt.Errorf("--state: %w", err)
	}
	c.state = nil
	c.findings = append(c.findings, verify.Finding{Offset: at, Code: verify.CodeUnreadable, Text: "an earlier verification reached the checkpoint here, and it can't be read any more"})
	return nil
}

// point is where to go on; nil: nowhere.
func (c *earlierCheck) point() *verify.Point {
	if c.state == nil {
		return nil
	}
	return &c.state.Point
}

// reaches says that there was an earlier verification, and the log has what it reached.
func (c *earlierCheck) reaches(v *auditlog.View) bool {
	return c.state != nil && c.state.Point.Offset <= v.Tip().Offset
}

// first is the first offset from which on signatures and receipts will be compared.
func (c *earlierCheck) first(v *auditlog.View) uint64 {
	if !c.reaches(v) {
		return v.First()
	}
	return max(v.First(), c.state.Vouched)
}

// between calls f for the entries of some kinds from first on whose links an earlier
// verification has checked, and what vouches for them not, or only in part. That they are
// what it saw is proven by its tree.
func (c *earlierCheck) between(ctx context.Context, v *auditlog.View, kinds []auditlog.Kind, f func(auditlog.Entry, *logv1.Event)) error {
	if !c.reaches(v) || c.first(v) >= c.state.Point.Offset {
		return nil
	}
	size := c.state.Point.Offset
	tree, err := chain.RestoreTree(size, c.state.Point.Nodes)
	if err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	var terms []auditlog.Term
	for _, k := range kinds {
		terms = append(terms, auditlog.KindTerm(k))
	}
	root := tree.Root()
	for offset, err := range v.Find(ctx, auditlog.Lookup{From: c.first(v), To: size - 1, AllOf: [][]auditlog.Term{terms}}) {
		if err != nil {
			return fmt.Errorf("read what was checked before: %w", err)
		}
		e, err := v.Entry(offset)
		if err != nil {
			return fmt.Errorf("read what was checked before: %w", err)
		}
		path, err := v.InclusionProof(ctx, offset, size)
		if err != nil {
			return fmt.Errorf("read what was checked before: %w", err)
		}
		if err := chain.VerifyInclusion(offset, size, e.Hash(), path, root); err != nil {
			c.findings = append(c.findings, verify.Finding{Offset: offset, Code: verify.CodeTrustedRoot, Text: fmt.Sprintf(
				"this is not the entry that an earlier verification saw here, or not in that tree: %v", err)})
			return nil
		}
		ev, err := e.Event()
		if err != nil {
			return fmt.Errorf("read what was checked before: %w: %w", auditlog.ErrDamaged, err)
		}
		f(e, ev)
	}
	return nil
}

// kept calls f for what is kept of the part of a log that was pruned, if signatures and
// receipts are compared from there on.
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
	if c.file != "" && time.Since(c.kept0) > stateEvery {
		vouched := uint64(0) // nothing behind that was compared yet
		if c.state != nil {
			vouched = c.state.Vouched
		}
		c.failed = c.write(vouched)
	}
}

// keep writes how far a verification came that found nothing wrong. One that did
// leaves the file: the next finds the same again.
func (c *earlierCheck) keep(d verdict) error {
	if c.file == "" || len(d.findings()) > 0 || c.newest.Offset == 0 {
		return nil
	}
	return c.write(min(c.newest.Offset, d.vouched()))
}

// vouched is the checkpoint from which on the next verification has to compare: what is
// not signed or anchored yet may never be.
func (v verdict) vouched() uint64 {
	through := uint64(math.MaxUint64)
	if v.signed != nil && v.signed.NotYet > 0 {
		through = v.signed.NotYetFrom
	}
	if v.standing != nil {
		if v.standing.Through == nil {
			return 0
		}
		through = min(through, v.standing.Through.Offset)
	}
	return through
}

func (c *earlierCheck) write(vouched uint64) error {
	c.kept0 = time.Now()
	if err := (verify.State{LogID: c.view.ID(), Point: c.newest, Vouched: vouched}).WriteSynced(c.file); err != nil {
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
	case time.UnixMilli(int64(list.ClockMS)).Sub(now) > maxAge:
		// A log's clock never goes back: one that was ahead once would look young for long.
		r.Findings = append(r.Findings, verify.Finding{Offset: list.Offset, Code: codeStale, Text: fmt.Sprintf(
			"the newest checkpoint is of %s, which is more than %s ahead of this machine's clock: how old it is can't be told", time.UnixMilli(int64(list.ClockMS)).UTC().Format(time.RFC3339), maxAge)})
	}
	sealed, _ := sealedThrough(r)
	if s := d.standing; s != nil && s.NotYet > 0 && old(s.Since) {
		s.Findings = append(s.Findings, verify.Finding{Offset: sealed, Code: codeStale, Text: fmt.Sprintf(
			"%d checkpoints are not %s, the oldest of %s, more than %s ago", s.NotYet, s.rung, s.Since.UTC().Format(time.RFC3339), maxAge)})
	}
	if s := d.signed; s != nil && s.NotYet > 0 && old(s.Since) {
		s.Findings = append(s.Findings, verify.Finding{Offset: s.NotYetFrom, Code: codeStale, Text: fmt.Sprintf(
			"%d checkpoints are not signed, the oldest of %s, more than %s ago", s.NotYet, s.Since.UTC().Format(time.RFC3339), maxAge)})
	}
}

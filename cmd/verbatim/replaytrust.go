package main

import (
	"context"

	"github.com/spf13/pflag"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/checkpoint"
	"verbatim/sidecar/verify"
)

// trustCheck is what a replay compares the log with beside the log itself, with the
// flags of verify. It is a replay.Witness.
type trustCheck struct {
	roots  []string
	signed signedCheck
	public publicCheck
	sealed anchor.Sealed
}

func (c *trustCheck) bind(fs *pflag.FlagSet) {
	fs.StringArrayVar(&c.roots, "trusted-root", nil, "`OFFSET:HASH` of an entry, known from elsewhere")
	c.signed.bind(fs)
	c.public.bind(fs)
}

// read reads what the flags name.
func (c *trustCheck) read() (map[uint64]chain.Hash, error) {
	roots, err := parseRoots(c.roots)
	if err != nil {
		return nil, err
	}
	return roots, c.signed.read()
}

// witness is nil if nothing but roots was given.
func (c *trustCheck) witness(ctx context.Context, v *auditlog.View) (replay.Witness, error) {
	if err := c.public.check(v.Genesis().GetAnchor()); err != nil {
		return nil, err
	}
	if !c.ofSignatures() && !c.public.anchors && !c.public.receipts {
		return nil, nil //nolint:nilnil // nothing was asked for
	}
	var whole earlierCheck
	if err := whole.kept(ctx, v, c.sealed.Each); err != nil {
		return nil, err
	}
	return c, c.signed.walk.Begin(ctx, v, v.First())
}

func (c *trustCheck) ofSignatures() bool { return c.signed.ring != nil || c.signed.kept != nil }

// Each implements replay.Witness.
func (c *trustCheck) Each(e auditlog.Entry, ev *logv1.Event) {
	c.sealed.Each(e, ev)
	c.signed.walk.Each(e, ev)
}

// contradictions are findings that another root, another time or another log was
// known for what the log holds. What else can be found is that something is missing.
var contradictions = map[verify.Code]bool{
	anchor.CodeRoot: true, anchor.CodeTime: true, anchor.CodeAhead: true,
	checkpoint.CodeSigned: true, checkpoint.CodeKept: true,
}

// Judge implements replay.Witness. That keys signed the log is no trusted root: who
// holds them can sign another history. Nor are receipts, which are its owner's word.
func (c *trustCheck) Judge(ctx context.Context, v *auditlog.View, checked *verify.Report) (t replay.Testimony, err error) {
	var found []verify.Finding
	standing, err := c.public.compare(ctx, v, c.sealed.Checkpoints, true)
	if err != nil {
		return t, err
	}
	if standing != nil {
		found = standing.Findings
		if standing.rung == "ANCHORED" && standing.Through != nil {
			t.By, t.Through = "the ledger", standing.Through.Offset
		}
	}
	if c.ofSignatures() {
		signatures, err := c.signed.compare(ctx, v, checked)
		if err != nil {
			return t, err
		}
		found = append(found, signatures.Findings...)
		if kept := c.signed.kept; kept != nil && (t.By == "" || kept.Offset > t.Through) {
			t.By, t.Through = "the kept checkpoint", kept.Offset
		}
	}
	for _, f := range found {
		if contradictions[f.Code] {
			t.Differs = append(t.Differs, f)
		} else {
			t.Missing = append(t.Missing, f)
		}
	}
	return t, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"verbatim/contracts"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/stellar"
	"verbatim/sidecar/verify"
)

// publicCheck is what verify compares a log with beside the log itself.
type publicCheck struct {
	anchors, receipts bool
	rpc, contract     string
}

func (c *publicCheck) bind(fs *pflag.FlagSet) {
	fs.BoolVar(&c.anchors, "anchors", false, "compare every checkpoint with the contract; needs --rpc")
	fs.StringVar(&c.rpc, "rpc", "", rpcUsage+" that you trust")
	fs.StringVar(&c.contract, "contract", "", "`C...`, the contract that you expect the log to name")
	fs.BoolVar(&c.receipts, "receipts", false, "compare checkpoints with the receipts that the log's owner kept, offline")
}

// check refuses flags that do not fit, or not the log.
func (c *publicCheck) check(where *logv1.Anchor) error {
	switch {
	case c.anchors && c.receipts:
		return errors.New("--anchors and --receipts: give one, --anchors proves more")
	case c.anchors && c.rpc == "":
		return errors.New("--rpc is not given: say the URL of a Stellar RPC server that you trust, or use --receipts")
	case !c.anchors && (c.rpc != "" || c.contract != ""):
		return errors.New("--rpc and --contract belong to --anchors: give it, too")
	case (c.anchors || c.receipts) && where == nil:
		return errNotAnchored
	}
	return nil
}

// standing is an anchor.Standing and what it rests on.
type standing struct {
	*anchor.Standing
	where *logv1.Anchor
	rung  string // ANCHORED or CLAIMED
}

// compare is nil if nothing was to be compared. whole says that the chain holds to
// its end.
func (c *publicCheck) compare(ctx context.Context, v *auditlog.View, sealed []auditlog.CheckpointAt, whole bool) (*standing, error) {
	s := &standing{where: v.Genesis().GetAnchor()}
	var err error
	switch {
	case c.anchors:
		s.rung = "ANCHORED"
		s.Standing, err = c.ask(ctx, v, sealed, whole)
	case c.receipts:
		s.rung = "CLAIMED"
		s.Standing, err = anchor.CheckReceipts(ctx, v, sealed)
	default:
		return nil, nil //nolint:nilnil // nothing was asked for
	}
	if err != nil {
		return nil, err
	}
	if cut, ok := v.Cut(); ok {
		s.Cut(cut)
	}
	return s, nil
}

func (c *publicCheck) ask(ctx context.Context, v *auditlog.View, sealed []auditlog.CheckpointAt, whole bool) (*anchor.Standing, error) {
	where := v.Genesis().GetAnchor()
	client, err := stellar.Dial(c.rpc, where.GetNetwork())
	if err != nil {
		return nil, fmt.Errorf("--rpc: %w", err)
	}
	defer client.Close()
	if err := client.CheckNetwork(ctx); err != nil {
		return nil, err
	}
	contract, err := client.Contract(where.GetContract())
	if err != nil {
		return nil, fmt.Errorf("read the contract in the log's genesis: %w", err)
	}
	s, err := anchor.Check(ctx, contract, v.ID(), sealed, anchor.Trusted{Executables: [][32]byte{contracts.Hash}, Whole: whole})
	if err != nil {
		return nil, err
	}
	if c.contract != "" && c.contract != where.GetContract() {
		s.Findings = append([]verify.Finding{{Code: anchor.CodeContract, Text: fmt.Sprintf(
			"the log names contract %s, you expect %s: what the log names may be its owner's own", where.GetContract(), c.contract)}}, s.Findings...)
	}
	return s, nil
}

func (s *standing) print(p *printer) {
	p.line("contract         %s on %q", s.where.GetContract(), s.where.GetNetwork())
	if s.Writer != "" && s.Writer != s.where.GetWriter() {
		p.line("writer           %s, after a hand-over: the genesis names %s", s.Writer, s.where.GetWriter())
	}
	if s.Proposed != "" {
		p.line("proposed writer  %s", s.Proposed)
	}
	through := "nothing"
	if s.Through != nil {
		through = fmt.Sprintf("offsets 0 to %d, in ledger %d, closed at %s", s.Through.Offset, s.Ledger, s.ClosedAt.UTC().Format(time.RFC3339))
	}
	p.line("%-16s %s (%d checkpoints compared, the newest covers all before it)", s.rung, through, s.Compared)
	if s.NotYet > 0 {
		p.line("not yet          %d checkpoints, the oldest sealed at %s", s.NotYet, s.Since.UTC().Format(time.RFC3339))
	}
	if s.Expired > 0 {
		p.line("expired          %d roots are in the network's archive; they were read there", s.Expired)
	}
	if s.Bare > 0 {
		p.line("bare receipts    %d, without a transaction: only --anchors tells", s.Bare)
	}
}

// verdict is what agrees, when nothing differs.
func (s *standing) verdict() string {
	switch {
	case s.Through == nil:
		return "not " + s.rung + ": no checkpoint was compared"
	case s.rung == "CLAIMED":
		return fmt.Sprintf("CLAIMED through %d: its owner's receipts fit; only --anchors asks the ledger", s.Through.Offset)
	}
	return fmt.Sprintf("ANCHORED through %d: the ledger agrees", s.Through.Offset)
}

func (s *standing) json() map[string]any {
	findings := s.Findings
	if findings == nil {
		findings = []verify.Finding{}
	}
	m := map[string]any{
		"rung": s.rung, "network": s.where.GetNetwork(), "contract": s.where.GetContract(), "compared": s.Compared,
		"checkpoints": s.Checkpoints, "not_yet": s.NotYet, "expired": s.Expired, "bare_receipts": s.Bare, "findings": findings,
	}
	if s.Writer != "" {
		m["writer"] = s.Writer
	}
	if s.Through != nil {
		m["through"], m["ledger"], m["closed_at"] = s.Through.Offset, s.Ledger, s.ClosedAt.UTC()
	}
	if s.NotYet > 0 {
		m["not_yet_since"] = s.Since.UTC()
	}
	return m
}

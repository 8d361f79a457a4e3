package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/admin"
	"verbatim/sidecar/anchor"
	"verbatim/sidecar/auditlog"
)

func anchorStatusCommand() *cobra.Command {
	var dir string
	var asJSON bool
	c := &cobra.Command{
		Use:   "status --log DIR",
		Args:  flagsAlone,
		Short: "How far a log's roots are published",
		Long: `Says how many checkpoints are confirmed or covered by a later one, which are
pending and since when, and what the last attempt failed with, by the log's own
records: the network is not asked (verbatim verify --anchors does that).

` + exitCodes + ` An alarm of a running verbatim serve is exit code 1.`,
		Example: "  verbatim anchor status --log DIR --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := readAnchorStatus(cmd.Context(), dir)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(s)
			} else {
				err = s.print(cmd.OutOrStdout())
			}
			if err == nil && s.Alarm != "" {
				return errFinding
			}
			return err
		},
	}
	c.Flags().StringVar(&dir, "log", "", "the log's `directory`")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	require(c, "log")
	return c
}

// anchorStatus is what the log keeps, and what the process that writes it says.
type anchorStatus struct {
	LogID       string     `json:"log_id"`
	Network     string     `json:"network"`
	Contract    string     `json:"contract"`
	Writer      string     `json:"writer"`
	Checkpoints uint64     `json:"checkpoints"`
	Confirmed   uint64     `json:"confirmed"`
	Covered     uint64     `json:"covered"`
	Pending     uint64     `json:"pending"`
	Since       *moment    `json:"pending_since,omitzero"`
	Through     *uint64    `json:"anchored_through,omitempty"`
	Ledger      uint32     `json:"ledger,omitempty"`
	ClosedAt    *time.Time `json:"closed_at,omitempty"`
	Fees        int64      `json:"fees_stroops"`
	Transaction string     `json:"transaction_in_flight,omitempty"`
	Serving     bool       `json:"serving"`
	Failure     string     `json:"failure,omitempty"`
	FailureKind string     `json:"failure_kind,omitempty"`
	Alarm       string     `json:"alarm,omitempty"`
}

func readAnchorStatus(ctx context.Context, dir string) (*anchorStatus, error) {
	v, _, done, err := openLog(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer done()
	where := v.Genesis().GetAnchor()
	if where == nil {
		return nil, fmt.Errorf("log %s is not anchored: %w", dir, errNotAnchored)
	}
	p, err := anchor.ReadProgress(ctx, v)
	if err != nil {
		return nil, err
	}
	s := newAnchorStatus(where, p)
	s.LogID = v.ID().String()
	for r, err := range anchor.Receipts(ctx, v, 0) {
		if err != nil {
			return nil, err
		}
		s.Confirmed++
		s.Fees += r.GetFeeCharged()
	}
	s.Covered = s.Checkpoints - s.Pending - s.Confirmed
	if errors.Is(auditlog.Available(dir), auditlog.ErrInUse) {
		live, err := admin.Status(ctx, dir)
		if err != nil {
			return nil, err
		}
		s.add(live.GetAnchor())
	}
	return s, nil
}

func newAnchorStatus(where *logv1.Anchor, p *anchor.Progress) *anchorStatus {
	s := &anchorStatus{
		Network: where.GetNetwork(), Contract: where.GetContract(), Writer: where.GetWriter(),
		Checkpoints: p.Checkpoints, Pending: uint64(len(p.Pending)), Transaction: hexOrNone(p.Submission.GetTransactionHash()),
	}
	if p.Newest != nil {
		through, closed := p.Newest.GetOffset(), time.Unix(p.Newest.GetClosedAt(), 0).UTC()
		s.Through, s.Ledger, s.ClosedAt = &through, p.Newest.GetLedger(), &closed
	}
	if len(p.Pending) > 0 {
		since := atMS(p.Pending[0].ClockMS)
		s.Since = &since
	}
	return s
}

// add takes what a running process says; nil if none publishes roots.
func (s *anchorStatus) add(live *auditv1.AnchorStatus) {
	s.Serving = live != nil
	s.Failure, s.FailureKind, s.Alarm = live.GetFailure(), live.GetFailureKind(), live.GetAlarm()
}

func hexOrNone(b []byte) string { return fmt.Sprintf("%x", b) }

func (s *anchorStatus) print(w io.Writer) error {
	p := &printer{w: w}
	p.line("contract         %s on %q", s.Contract, s.Network)
	p.line("writer           %s", s.Writer)
	p.line("checkpoints      %d: %d confirmed, %d covered by a later one, %d pending", s.Checkpoints, s.Confirmed, s.Covered, s.Pending)
	if s.Through != nil {
		p.line("anchored         through offset %d, in ledger %d, closed at %s", *s.Through, s.Ledger, s.ClosedAt.Format(time.RFC3339))
	} else {
		p.line("anchored         nothing yet")
	}
	if s.Since != nil {
		p.line("pending since    %s", s.Since.Format(time.RFC3339))
	}
	if s.Transaction != "" {
		p.line("under way        transaction %s", s.Transaction)
	}
	p.line("fees             %s", xlm(s.Fees))
	if !s.Serving {
		p.line("serving          no process publishes roots now")
	}
	if s.Failure != "" {
		p.line("last failure     %s: %s", s.FailureKind, s.Failure)
	}
	if s.Alarm != "" {
		p.line("ALARM            %s", s.Alarm)
	}
	return p.err
}

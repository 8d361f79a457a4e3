package main

import (
	"context"
	"fmt"
	"time"
)

// verifyReport is what verbatim verify --json prints, as far as it is used.
type verifyReport struct {
	OK          bool      `json:"ok"`
	Entries     uint64    `json:"entries"`
	Checkpoints uint64    `json:"checkpoints"`
	ChainRoot   string    `json:"chain_root"`
	Findings    []finding `json:"findings"`
	// Public is there if the ledger was asked.
	Public struct {
		Through  *uint64   `json:"through"`
		Ledger   uint32    `json:"ledger"`
		NotYet   uint64    `json:"not_yet"`
		Findings []finding `json:"findings"`
	} `json:"public"`
}

type finding struct {
	Offset uint64 `json:"offset"`
	Code   string `json:"code"`
	Text   string `json:"text"`
}

func (f finding) String() string { return fmt.Sprintf("offset %d: %s: %s", f.Offset, f.Code, f.Text) }

func (r verifyReport) check() error {
	if r.OK && len(r.Findings) == 0 {
		return nil
	}
	if len(r.Findings) == 0 {
		return fmt.Errorf("%w: the recorded log is not verified", errCheck)
	}
	return fmt.Errorf("%w: the recorded log: %s", errCheck, r.Findings[0])
}

// replayReport is what verbatim replay --json prints, as far as it is used.
type replayReport struct {
	Result         string `json:"result"`
	Reason         string `json:"reason"`
	Requests       int    `json:"requests"`
	Sent           int    `json:"sent"`
	Compared       int    `json:"compared"`
	OriginalRoot   string `json:"original_root"`
	ReplayRoot     string `json:"replay_root"`
	FootersChecked uint64 `json:"footers_checked"`
	FootersEqual   uint64 `json:"footers_equal"`
	LinksChecked   uint64 `json:"links_checked"`
	RecordedMS     uint64 `json:"recorded_ms"`
	ReplayUS       uint64 `json:"replay_us"`
	ChainRoot      string `json:"chain_root"`
	Divergence     struct {
		Diff []string `json:"diff"`
	} `json:"divergence"`
}

const verified = "VERIFIED"

// check wants every event sent again and found the same, in every footer and
// over all, on the log that was verified.
func (r replayReport) check(events int, log verifyReport) error {
	switch {
	case r.Result != verified:
		return fmt.Errorf("%w: the replay is not verified: %s: %s", errCheck, r.Result, r.Reason)
	case r.Requests != events || r.Sent != events || r.Compared != events:
		return fmt.Errorf("%w: of %d events the replay found %d, sent %d and compared %d", errCheck, events, r.Requests, r.Sent, r.Compared)
	case r.OriginalRoot == "" || r.OriginalRoot != r.ReplayRoot:
		return fmt.Errorf("%w: output roots differ: recorded %q, replayed %q", errCheck, r.OriginalRoot, r.ReplayRoot)
	case r.FootersChecked == 0 || r.FootersEqual != r.FootersChecked:
		return fmt.Errorf("%w: %d of %d footers are equal", errCheck, r.FootersEqual, r.FootersChecked)
	case r.LinksChecked != log.Entries || r.ChainRoot != log.ChainRoot:
		return fmt.Errorf("%w: the replay checked %d links up to root %s, but the log has %d entries up to root %s",
			errCheck, r.LinksChecked, r.ChainRoot, log.Entries, log.ChainRoot)
	}
	return nil
}

func (r replayReport) elapsed() time.Duration  { return time.Duration(r.ReplayUS) * time.Microsecond }
func (r replayReport) recorded() time.Duration { return time.Duration(r.RecordedMS) * time.Millisecond }

// verifyAndReplay asks verbatim about the sealed log. What it finds is judged by
// summary.check.
func (d *demo) verifyAndReplay(ctx context.Context, sum *summary) error {
	if err := d.command(ctx, &sum.log, "verify", "--log", d.logDir(), "--json"); err != nil {
		return err
	}
	fresh, err := d.startPipeline(ctx, "pipeline-replayed", "")
	if err != nil {
		return err
	}
	if err := d.command(ctx, &sum.replay, "replay", "--log", d.logDir(), "--target", "http://"+fresh.Addr, "--json"); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "  %d links checked, %d events sent again and compared in %v\n",
		sum.replay.LinksChecked, sum.replay.Compared, sum.replay.elapsed().Round(time.Millisecond))
	return fresh.Stop()
}

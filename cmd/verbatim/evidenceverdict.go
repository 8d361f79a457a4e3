package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"verbatim/replay"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/evidence"
	"verbatim/sidecar/secret"
	"verbatim/sidecar/verify"
)

// evidenceVerdict is all that a check of an evidence file found.
type evidenceVerdict struct {
	file   *evidence.File
	report *evidence.Report
	flags  evidenceFlags
}

func (v evidenceVerdict) print(w io.Writer) error {
	if v.flags.asJSON {
		return v.printJSON(w)
	}
	p := &printer{w: w}
	p.line("log              %s", v.file.LogID())
	p.line("evidence of      %s", offsetsOf(v.file))
	for _, s := range v.report.Steps {
		p.line("%-16s %s", s.State, s.Text)
	}
	for _, l := range v.diff() {
		p.line("  %s", l)
	}
	if err := v.showEntries(p); err != nil {
		return err
	}
	v.printLookUp(p)
	p.line("%s", v.conclusion())
	return p.err
}

// diff says what differs in a divergence: "-" is recorded, "+" replayed.
func (v evidenceVerdict) diff() []string {
	recorded, replayed := v.file.Outputs()
	if !v.file.Divergent() || recorded == nil || replayed == nil {
		return nil
	}
	return replay.Diff(recorded, replayed)
}

func (v evidenceVerdict) showEntries(p *printer) error {
	if !v.flags.show && !v.flags.reveal {
		return nil
	}
	for _, e := range v.file.Entries() {
		shown, err := v.event(e)
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(shown, "", "  ")
		if err != nil {
			return fmt.Errorf("show entry %d: %w", e.Offset, err)
		}
		p.line("entry %d", e.Offset)
		for l := range strings.Lines(string(text)) {
			p.line("  %s", strings.TrimSuffix(l, "\n"))
		}
	}
	return nil
}

func (v evidenceVerdict) event(e auditlog.Entry) (map[string]any, error) {
	ev, err := e.Event()
	if err != nil {
		return nil, err
	}
	if !v.flags.reveal {
		ev = secret.Redacted(ev)
	}
	return eventJSON(ev), nil
}

// printLookUp says what is to be looked up, where that is left to do.
func (v evidenceVerdict) printLookUp(p *printer) {
	l := v.file.LookUp()
	if l == nil || len(v.report.Findings()) > 0 || v.report.Rung() == evidence.Anchored {
		return
	}
	p.line("To look up on the public ledger, or with --rpc:")
	p.line("  network        %q", l.Where.GetNetwork())
	p.line("  contract       %q, its entry for this log and checkpoint", l.Where.GetContract())
	p.line("  log id         %s", l.LogID)
	p.line("  checkpoint id  %d", l.CheckpointID)
	p.line("  expected root  %s", l.Root)
	p.line("  expected clock %d", l.TimestampMS)
	if len(l.Transaction) > 0 {
		p.line("  transaction    %x, in ledger %d", l.Transaction, l.Ledger)
	}
}

// conclusion is the last line.
func (v evidenceVerdict) conclusion() string {
	if all := v.report.Findings(); len(all) > 0 {
		return fmt.Sprintf("NOT VERIFIED: %d findings, the first at offset %d", len(all), all[0].Offset)
	}
	line := v.report.Rung().String() + ": "
	if v.flags.keys != "" {
		line = v.report.Rung().String() + ", signed by keys of " + v.flags.keys + ": "
	}
	what := "the exchange"
	if len(v.file.Entries()) == 1 {
		what = "the entry"
	}
	switch v.report.Rung() {
	case evidence.Anchored:
		line += what + " was in the log when that ledger closed"
	case evidence.Claimed:
		line += "an anchor receipt fits, by the word of whoever gave you this file; the ledger was not asked"
	default:
		line += what + " is in the tree of its checkpoint; that this is the log's only history this file does not show"
	}
	if v.file.Divergent() {
		line += "; the recorded output is proven, the replayed one is only stated"
	}
	return line
}

func (v evidenceVerdict) printJSON(w io.Writer) error {
	at := v.file.Checkpoint()
	entries := []map[string]any{}
	for _, e := range v.file.Entries() {
		kind, _, err := auditlog.Peek(e.Raw)
		if err != nil {
			return err
		}
		m := map[string]any{"stream_offset": e.Offset, "kind": kind.String(), "entry_hash": e.Hash().String(), "event_hash": e.EventHash().String()}
		if v.flags.show || v.flags.reveal {
			if m["event"], err = v.event(e); err != nil {
				return err
			}
		}
		entries = append(entries, m)
	}
	m := map[string]any{
		"ok": len(v.report.Findings()) == 0, "rung": v.report.Rung(), "log_id": v.file.LogID().String(), "entries": entries,
		"checkpoint": map[string]any{
			"id": at.Checkpoint.GetCheckpointId(), "offset": at.Offset, "root": at.Root.String(),
			"merkle_root": hex.EncodeToString(at.Checkpoint.GetMerkleRoot()),
		},
		"steps": v.report.Steps, "findings": append([]verify.Finding{}, v.report.Findings()...),
	}
	if l := v.file.LookUp(); l != nil {
		m["look_up"] = map[string]any{
			"network": l.Where.GetNetwork(), "contract": l.Where.GetContract(), "log_id": l.LogID.String(), "checkpoint_id": l.CheckpointID,
			"root": l.Root.String(), "timestamp_ms": l.TimestampMS, "transaction": hex.EncodeToString(l.Transaction), "ledger": l.Ledger,
		}
	}
	if v.file.Divergent() {
		m["divergence"] = map[string]any{"diff": append([]string{}, v.diff()...)}
	}
	return json.NewEncoder(w).Encode(m)
}

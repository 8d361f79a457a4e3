package main

import (
	"encoding/json"
	"fmt"
	"io"

	"verbatim/sidecar/verify"
)

// verdict is all that a verification found.
type verdict struct {
	report   *verify.Report
	standing *standing   // nil: nothing public was compared
	signed   *signatures // nil: the log has nothing to do with signatures
	before   *ancestry   // nil: the log continues none
}

// findings are all, the loudest that there is first.
func (v verdict) findings() []verify.Finding {
	var all []verify.Finding
	if v.standing != nil {
		all = append(all, v.standing.Findings...)
	}
	if v.signed != nil {
		all = append(all, v.signed.Findings...)
	}
	if v.before != nil {
		all = append(all, v.before.findings()...)
	}
	return append(all, v.report.Findings...)
}

// printFinding prints where and what first, which stay as they are whatever the text
// holds: protobuf's errors have a space in them that is not printed plainly.
func printFinding(p *printer, heading string, f verify.Finding) {
	p.line("%s offset %d: %s: %s", heading, f.Offset, f.Code, f.Text)
}

func (v verdict) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(v.json())
	}
	p, r := &printer{w: w}, v.report
	for _, f := range v.findings() {
		printFinding(p, "FINDING at", f)
	}
	p.line("entries checked  %s", checkedEntries(r))
	printPruned(p, r)
	if r.First > r.Cut.Offset {
		p.line("checked before   offsets %d to %d, by an earlier verification", r.Cut.Offset, r.First-1)
	}
	if r.OfPruned > 0 {
		p.line("of pruned ones   %d outcomes, whose requests were pruned", r.OfPruned)
	}
	p.line("requests         %d: %d answered, %d aborted, %d open", r.Requests, r.Responses, r.Aborts, r.Open)
	switch {
	case r.Checkpoints > 0:
		p.line("checkpoints      %d, sealed through offset %d", r.Checkpoints, r.SealedThrough)
	case r.Broken:
		p.line("checkpoints      0, as far as the chain holds")
	default:
		p.line("checkpoints      0, %s", v.sealed())
	}
	if r.Gaps > 0 {
		p.line("gaps             %d: traffic is known to have passed unrecorded", r.Gaps)
	}
	p.line("chain root       %s", r.ChainRoot)
	if v.signed != nil {
		v.signed.print(p)
	}
	if v.standing != nil {
		v.standing.print(p)
	}
	if v.before != nil {
		v.before.print(p)
	}
	p.line("%s", v.conclusion())
	return p.err
}

func (v verdict) sealed() string {
	if through, ok := sealedThrough(v.report); ok {
		return fmt.Sprintf("SEALED through %d", through)
	}
	return "not sealed yet"
}

// sealedThrough is the last offset that a checkpoint covers, also where no new one was
// checked: a verification that does not begin with the genesis begins at a checkpoint.
func sealedThrough(r *verify.Report) (through uint64, sealed bool) {
	if r.Checkpoints == 0 && r.First > 0 && !r.Broken {
		return r.First - 1, true
	}
	return r.SealedThrough, r.Checkpoints > 0
}

// conclusion is the last line.
func (v verdict) conclusion() string {
	if all := v.findings(); len(all) > 0 {
		return fmt.Sprintf("NOT VERIFIED: %d findings, the first at offset %d", len(all), all[0].Offset)
	}
	line := "CHAINED, " + v.sealed()
	if v.signed != nil {
		line += ", " + v.signed.verdict()
	}
	if v.before != nil {
		line += ", " + v.before.verdict()
	}
	switch {
	case v.standing != nil:
		return line + ", " + v.standing.verdict()
	case v.report.TrustedRoots > 0:
		return fmt.Sprintf("%s, and it agrees with %d trusted roots", line, v.report.TrustedRoots)
	case v.signed != nil && v.signed.kept != nil:
		return line
	case v.signed != nil && v.signed.keys != "":
		return line + ": whether who holds the keys signed another history as well only a checkpoint that you kept tells"
	}
	return line + ": the log agrees with itself; whether it was rewritten as a whole only a trusted root tells"
}

// rung is the highest that was reached, of those in docs/LOG-FORMAT.md.
func (v verdict) rung() string {
	switch {
	case len(v.findings()) > 0:
		return "NONE"
	case v.standing != nil && v.standing.Through != nil:
		return v.standing.rung
	}
	if _, ok := sealedThrough(v.report); ok {
		return "SEALED"
	}
	return "CHAINED"
}

func (v verdict) json() map[string]any {
	r := v.report
	report := map[string]any{
		"ok": len(v.findings()) == 0, "rung": v.rung(), "first": r.First, "entries": r.Entries, "tip": r.Tip, "chain_root": r.ChainRoot.String(),
		"checkpoints": r.Checkpoints, "requests": r.Requests,
		"responses": r.Responses, "aborts": r.Aborts, "gaps": r.Gaps, "open_requests": r.Open,
		"trusted_roots": r.TrustedRoots, "findings": append([]verify.Finding{}, r.Findings...),
	}
	if through, ok := sealedThrough(r); ok {
		report["sealed_through"] = through
	}
	if pruned(r) {
		report["pruned"] = prunedJSON(r.Pruned)
	}
	if v.standing != nil {
		report["public"] = v.standing.json()
	}
	if v.signed != nil {
		report["signed"] = v.signed.json()
	}
	if v.before != nil {
		report["predecessors"] = v.before.json()
	}
	return report
}

// checkedEntries says which entries' links were checked, and whether all were.
func checkedEntries(r *verify.Report) string {
	switch {
	case r.Entries == 0:
		return "0"
	case r.Broken:
		return fmt.Sprintf("%d (offsets %d to %d), as far as the chain holds", r.Entries, r.First, r.First+r.Entries-1)
	}
	return fmt.Sprintf("%d (offsets %d to %d), every link", r.Entries, r.First, r.First+r.Entries-1)
}

package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	auditv1 "verbatim/proto/verbatim/audit/v1"
)

// compared says what a replay is about; every verdict carries it.
const compared = "What was compared is the pipeline's answers; effects outside them are not recorded yet."

func resultName(r auditv1.ReplayResult) string {
	return strings.TrimPrefix(r.String(), "REPLAY_RESULT_")
}

func kindName(k auditv1.DivergenceKind) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(k.String(), "DIVERGENCE_KIND_"), "_", "-"))
}

func printVerdict(w io.Writer, r *auditv1.AuditReplayResponse, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(newVerdictJSON(r))
	}
	p := &printer{w: w}
	p.line("links checked    %d entries%s", r.GetLinksChecked(), everyLink(r))
	p.line("requests         %d: %d sent again, %d compared, %d never answered, %d answered by Envoy itself",
		r.GetRequests(), r.GetSent(), r.GetCompared(), r.GetWithoutResponse(), r.GetLocalReplies())
	if len(r.GetReplayRoot()) > 0 {
		p.line("recorded root    %x", r.GetOriginalRoot())
		p.line("replayed root    %x", r.GetReplayRoot())
		p.line("footers          %d of %d equal%s", r.GetFootersEqual(), r.GetFootersChecked(), partly(r))
	}
	if len(r.GetChainRoot()) > 0 {
		p.line("chain root       %x", r.GetChainRoot())
	}
	p.line("time             %s recorded, %s replayed", time.Duration(r.GetRecordedMs())*time.Millisecond,
		(time.Duration(r.GetReplayUs()) * time.Microsecond).Round(time.Millisecond))
	if n := r.GetDoubtful(); n > 0 {
		p.line("in doubt         %d answers, each behind something that the pipeline may have got otherwise", n)
	}
	printOverlap(p, r)
	printStarts(p, r)
	printPolicies(p, r)
	for _, s := range r.GetWarnings() {
		p.line("WARNING          %s", s)
	}
	printDivergence(p, r.GetDivergence())
	for _, f := range r.GetMoving() {
		p.line("moving           %s", f)
	}
	if by := r.GetTrusted(); by != "" {
		p.line("trusted          %s, through offset %d", by, r.GetTrustedThrough())
	}
	p.line("%s: %s", resultName(r.GetResult()), r.GetReason())
	p.line("%s", compared)
	return p.err
}

// everyLink claims no more than was checked: in a broken chain nothing behind the
// first finding is, and without a root not all were read.
func everyLink(r *auditv1.AuditReplayResponse) string {
	if len(r.GetChainRoot()) == 0 || r.GetDivergence().GetKind() == auditv1.DivergenceKind_DIVERGENCE_KIND_CHAIN_BROKEN {
		return ""
	}
	return ", every link"
}

// printOverlap claims no more than the profile knows, also where it saw no overlap.
func printOverlap(p *printer, r *auditv1.AuditReplayResponse) {
	switch n := r.GetOverlappingPairs(); {
	case r.GetOverlapApproximate():
		p.line("overlap          about %d pairs of requests were in the pipeline at the same time when recorded: profile observe, approximate", n)
	case n > 0:
		p.line("overlap          %d pairs of requests were in the pipeline at the same time when recorded", n)
	}
}

func partly(r *auditv1.AuditReplayResponse) string {
	if r.GetFootersPartial() == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of them with some outputs taken from the record", r.GetFootersPartial())
}

func printStarts(p *printer, r *auditv1.AuditReplayResponse) {
	for _, s := range r.GetStarts() {
		if pipeline := s.GetPipeline(); pipeline.GetName() != "" || pipeline.GetImageDigest() != "" {
			p.line("answered by      %s %s, from offset %d on", pipeline.GetName(), pipeline.GetImageDigest(), s.GetOffset())
		}
	}
}

func printPolicies(p *printer, r *auditv1.AuditReplayResponse) {
	which := "the sealed one"
	if !r.GetIgnorePolicySealed() {
		which = "not the sealed one"
	}
	for _, digest := range r.GetIgnorePolicySha256() {
		p.line("ignore policy    %x, %s", digest, which)
	}
}

func hexes(list [][]byte) []string {
	texts := make([]string, len(list))
	for i, b := range list {
		texts[i] = hex.EncodeToString(b)
	}
	return texts
}

// kindNames are all kinds of a difference, the first being its code.
func kindNames(d *auditv1.Divergence) []string {
	names := []string{kindName(d.GetKind())}
	for _, k := range d.GetKinds() {
		if k != d.GetKind() {
			names = append(names, kindName(k))
		}
	}
	return names
}

func printDivergence(p *printer, d *auditv1.Divergence) {
	if d == nil {
		return
	}
	p.line("first bad offset %d (%s)", d.GetFirstBadOffset(), strings.Join(kindNames(d), ", "))
	if len(d.GetOriginalHash()) > 0 {
		p.line("  request        %d", d.GetRequestOffset())
		p.line("  recorded hash  %x", d.GetOriginalHash())
		p.line("  replayed hash  %x", d.GetReplayHash())
		if len(d.GetSecondHash()) > 0 {
			p.line("  and again      %x", d.GetSecondHash())
		}
	}
	if n := d.GetOverlapping(); len(n) > 0 {
		about := ""
		if d.GetOverlappingApproximate() {
			about = ", approximately"
		}
		p.line("  overlapped by  requests %v%s", n, about)
	}
	for _, l := range d.GetDiff() {
		p.line("  %s", l)
	}
}

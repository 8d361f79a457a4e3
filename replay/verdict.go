package replay

import (
	"bytes"
	"fmt"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/verify"
)

func newResponse(p *plan, checked *verify.Report) *auditv1.AuditReplayResponse {
	return &auditv1.AuditReplayResponse{
		StartOffset: p.from, EndOffset: max(p.behind, 1) - 1, OverlappingPairs: p.pairs(),
		LinksChecked: checked.Entries, RecordedMs: p.lastMS - p.firstMS,
		Starts: p.starts, ChainRoot: checked.ChainRoot[:],
	}
}

// chainBroken is the verdict when the log contradicts itself: nothing is sent.
func (r *run) chainBroken(checked *verify.Report) *auditv1.AuditReplayResponse {
	first := checked.Findings[0]
	r.response.Result = auditv1.ReplayResult_REPLAY_RESULT_DIVERGENCE
	r.response.Reason = "the log does not hold together, so nothing was sent: " + first.String()
	r.response.Divergence = &auditv1.Divergence{
		Kind: auditv1.DivergenceKind_DIVERGENCE_KIND_CHAIN_BROKEN, FirstBadOffset: first.Offset,
	}
	return r.response
}

// verdict says what the replay showed, and no more.
func (r *run) verdict() *auditv1.AuditReplayResponse {
	out := r.response
	defer r.sayPolicy()
	r.warnOfImages()
	if n := r.plan.unrecorded(); n > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("at least %d exchanges passed unrecorded in this range: they were not sent again", n))
	}
	r.roots()
	switch at, differs := chain.FirstDifference(&r.original, &r.replayed); {
	case differs:
		r.diverged(r.compared[at])
	case r.cannotTell != "":
		out.Result, out.Reason = auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL, r.cannotTell
	case out.Compared == 0:
		out.Result = auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL
		out.Reason = "nothing was compared: no selected request has an answer of the pipeline"
	default:
		out.Result = auditv1.ReplayResult_REPLAY_RESULT_VERIFIED
		out.Reason = fmt.Sprintf("all %d answers are the same, byte for byte", out.GetCompared())
	}
	return out
}

// diverged is the verdict on the first difference.
func (r *run) diverged(x *exchange) {
	out, d := r.response, r.firstBad
	kind := auditv1.DivergenceKind_DIVERGENCE_KIND_OUTPUT_DIFFERS
	if d.cause != nil {
		kind = auditv1.DivergenceKind_DIVERGENCE_KIND_OUTPUT_MISSING
	}
	out.Divergence = &auditv1.Divergence{
		Kind: kind, FirstBadOffset: x.outcome, RequestOffset: x.offset, OriginalHash: x.hash[:],
		Diff: r.diff(d), Overlapping: r.plan.overlapping(x),
	}
	if d.cause == nil {
		out.Divergence.ReplayHash = x.replayed[:]
	}
	if after, doubtful := r.plan.before(x); doubtful {
		out.Result = auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL
		out.Reason = fmt.Sprintf("the answer at %d differs, but after %s: what that did to the pipeline is not known", x.outcome, after)
		return
	}
	out.Result = auditv1.ReplayResult_REPLAY_RESULT_DIVERGENCE
	out.Reason = fmt.Sprintf("the answer to request %d, recorded at %d, differs", x.offset, x.outcome)
	if d.cause != nil {
		out.Reason = fmt.Sprintf("request %d, answered at %d when recorded, got no answer: %v", x.offset, x.outcome, d.cause)
	}
	if n := len(out.Divergence.Overlapping); n > 0 {
		out.Reason += fmt.Sprintf("; %d other requests were in the pipeline at the same time when it was recorded", n)
	}
	if r.options.Diverged != nil {
		r.options.Diverged(Difference{RequestOffset: x.offset, Offset: x.outcome, Output: d.output})
	}
}

// roots are given when every selected request was looked at.
func (r *run) roots() {
	if r.cannotTell != "" || r.firstBad != nil && !r.options.All {
		return
	}
	var original, replayed chain.Root
	for _, x := range r.plan.exchanges {
		if x.ending == answered || x.local {
			original.Add(x.hash)
			replayed.Add(x.replayed)
		}
	}
	a, b := original.Sum(), replayed.Sum()
	r.response.OriginalRoot, r.response.ReplayRoot = a[:], b[:]
	if r.options.Ignore == nil || r.response.GetIgnorePolicySealed() {
		r.footers() // they are over outputs as they were recorded
	}
}

// footers recomputes the output root of each sealed window with the replayed
// outputs in their places. What was not replayed comes from the record, whose
// links were checked.
func (r *run) footers() {
	replayed := map[uint64]chain.Hash{}
	for _, x := range r.compared {
		replayed[x.outcome] = x.replayed
	}
	for _, w := range r.plan.windows {
		var root chain.Root
		n := 0
		for _, a := range w.responses {
			if h, ok := replayed[a.offset]; ok {
				a.hash = h
				n++
			}
			root.Add(a.hash)
		}
		if n == 0 {
			continue
		}
		r.response.FootersChecked++
		if n < len(w.responses) {
			r.response.FootersPartial++
		}
		if sum := root.Sum(); bytes.Equal(sum[:], w.checkpoint.GetOutputRoot()) {
			r.response.FootersEqual++
		}
	}
}

// warnOfImages says when the target is not what answered then.
func (r *run) warnOfImages() {
	for _, s := range r.plan.starts {
		image := s.GetPipeline().GetImageDigest()
		if r.options.TargetImage != "" && image != "" && image != r.options.TargetImage {
			r.response.Warnings = append(r.response.Warnings, fmt.Sprintf(
				"recorded from offset %d on with image %s, replayed with %s", s.GetOffset(), image, r.options.TargetImage))
		}
	}
}

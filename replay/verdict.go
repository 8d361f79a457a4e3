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
		StartOffset: p.from, EndOffset: max(p.behind, 1) - 1, OverlappingPairs: p.pairs(), OverlapApproximate: p.approximate(),
		LinksChecked: checked.Entries, RecordedMs: p.lastMS - p.firstMS,
		Starts: p.starts, ChainRoot: checked.ChainRoot[:],
	}
}

// verdict says what the replay showed, and no more.
func (r *run) verdict() *auditv1.AuditReplayResponse {
	out := r.response
	defer r.sayPolicy()
	r.warnOfImages()
	r.warnOfClocks()
	if n := r.plan.unrecorded(); n > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("at least %d exchanges passed unrecorded in this range: they were not sent again", n))
	}
	if root := r.root(); root != nil {
		out.OriginalRoot, out.ReplayRoot = r.plan.root(recordedHash), root
		if r.options.Ignore == nil || out.GetIgnorePolicySealed() {
			r.footers() // they are over outputs as they were recorded
		}
	}
	switch at, differs := chain.FirstDifference(&r.original, &r.replayed); {
	case differs:
		if r.diverged(r.compared[at]); r.cannotTell != "" {
			out.Reason += "; the replay did not come to its end: " + r.cutShort()
		}
	case r.cannotTell != "":
		out.Result, out.Reason = auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL, r.cutShort()
		if out.GetCompared() > 0 {
			out.Reason += ", and are the same, byte for byte"
		}
		r.notReached()
	case out.Compared == 0:
		out.Result = auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL
		out.Reason = "nothing was compared: no selected request has an answer of the pipeline"
	default:
		out.Result = auditv1.ReplayResult_REPLAY_RESULT_VERIFIED
		out.Reason = fmt.Sprintf("all %d answers are the same, byte for byte", out.GetCompared())
	}
	return out
}

// notReached names the code where the target could not be reached.
func (r *run) notReached() {
	u := r.unreached
	if u == nil {
		return
	}
	at := u.x.outcome
	if at == 0 {
		at = u.x.offset
	}
	r.response.Divergence = &auditv1.Divergence{
		Kind: u.answer.failure, Kinds: []auditv1.DivergenceKind{u.answer.failure}, FirstBadOffset: at, RequestOffset: u.x.offset,
	}
}

// diverged is the verdict on the first difference.
func (r *run) diverged(x *exchange) {
	out, d := r.response, r.firstBad
	c := r.changes(x, d.answer)
	kinds := c.kinds()
	out.Divergence = &auditv1.Divergence{
		Kind: kinds[0], Kinds: kinds, Fields: c.fields(), FirstBadOffset: x.outcome, RequestOffset: x.offset, OriginalHash: x.hash[:],
		Diff: c.lines(), Overlapping: r.plan.overlapping(x), OverlappingApproximate: x.seen, After: r.shadow(x),
	}
	if unsent := r.plan.unsentBefore(x); len(unsent) > 0 {
		out.Divergence.Unsent, out.Divergence.FirstUnsent = uint64(len(unsent)), unsent[0]
	}
	if d.answer.failure == 0 {
		out.Divergence.ReplayHash = d.answer.hash[:]
	}
	if excuse := r.excuse(x); excuse != "" {
		out.Result = auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL
		out.Reason = fmt.Sprintf("the answer at %d differs, but %s", x.outcome, excuse)
		return
	}
	out.Result = auditv1.ReplayResult_REPLAY_RESULT_DIVERGENCE
	out.Reason = fmt.Sprintf("the answer to request %d, recorded at %d, differs", x.offset, x.outcome)
	if d.answer.failure != 0 {
		out.Reason = fmt.Sprintf("request %d, answered at %d when recorded, got no answer: %v", x.offset, x.outcome, d.answer.cause)
	}
	out.Reason += among(x, len(out.Divergence.Overlapping))
	if r.options.Diverged != nil {
		r.options.Diverged(Difference{RequestOffset: x.offset, Offset: x.outcome, Output: d.answer.output})
	}
}

// root covers all answers of the range; nil unless every selected request was
// looked at.
func (r *run) root() []byte {
	if r.cannotTell != "" || r.firstBad != nil && !r.options.goOn() {
		return nil
	}
	next := 0
	return r.plan.root(func(*exchange) chain.Hash {
		next++
		return r.answers[next-1].hash
	})
}

// root is over the answers of the selected requests, with what is put in the place of
// those that a replay compares.
func (p *plan) root(compared func(*exchange) chain.Hash) []byte {
	var root chain.Root
	for _, x := range p.exchanges {
		switch {
		case x.compares():
			root.Add(compared(x))
		case x.fromRecord():
			root.Add(x.hash)
		}
	}
	sum := root.Sum()
	return sum[:]
}

func recordedHash(x *exchange) chain.Hash { return x.hash }

// footers recomputes the output root of each sealed window with the replayed
// outputs in their places. What was not replayed comes from the record, whose
// links were checked.
func (r *run) footers() {
	replayed := map[uint64]chain.Hash{}
	for i, x := range r.compared {
		replayed[x.outcome] = r.answers[i].hash
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

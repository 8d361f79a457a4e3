package replay

import (
	"context"
	"fmt"
	"slices"

	auditv1 "verbatim/proto/verbatim/audit/v1"
)

// again makes the second replay, unless the first one did not come to its end, and
// says what the two show together.
func (r *run) again(ctx context.Context) (*auditv1.AuditReplayResponse, error) {
	out := r.verdict()
	if r.cannotTell != "" || len(r.answers) == 0 {
		out.Reason += "; no second replay was made"
		return out, nil
	}
	second := &run{view: r.view, options: r.options, plan: r.plan, ignoring: r.ignoring, number: 2, response: &auditv1.AuditReplayResponse{}}
	if err := second.drive(ctx, r.options.Second); err != nil {
		return nil, fmt.Errorf("second replay: %w", err)
	}
	out.Replays += second.response.GetReplays()
	out.ReplayUs += second.response.GetReplayUs()
	out.SecondRoot = second.root()
	if at := r.moved(second); at >= 0 {
		r.nondeterministic(second, at)
		return out, nil
	}
	switch {
	case second.cannotTell != "" && out.GetResult() == auditv1.ReplayResult_REPLAY_RESULT_VERIFIED:
		out.Result = auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL
		out.Reason = fmt.Sprintf("%s in the first replay; the second one: %s", out.GetReason(), second.cutShort())
		second.response = out
		second.notReached()
	case second.cannotTell != "":
		out.Reason += "; the second replay did not come to its end: " + second.cutShort()
	case out.GetResult() == auditv1.ReplayResult_REPLAY_RESULT_DIVERGENCE:
		out.Result = auditv1.ReplayResult_REPLAY_RESULT_CHANGED
		out.Reason = fmt.Sprintf("two replays agree in all %d answers, and not with the log: %s%s", len(r.answers), out.GetReason(), r.orRewritten())
	default:
		out.Reason += fmt.Sprintf("; two replays agree in all %d answers", len(r.answers))
	}
	return out, nil
}

// orRewritten is what can explain a difference as well where nothing from elsewhere
// covers it.
func (r *run) orRewritten() string {
	switch at := r.response.GetDivergence().GetFirstBadOffset(); {
	case r.response.GetTrusted() == "":
		return "; or the log was rewritten: it was compared with no trusted root"
	case at > r.response.GetTrustedThrough():
		return fmt.Sprintf("; or the log was rewritten: %s covers it through offset %d only", r.response.GetTrusted(), r.response.GetTrustedThrough())
	}
	return ""
}

// moved counts the answers in which two replays differ, notes the fields, and is the
// first of them; -1: there is none.
func (r *run) moved(second *run) int {
	first := -1
	for i := range min(len(r.answers), len(second.answers)) {
		if r.answers[i].same(second.answers[i]) {
			continue
		}
		r.response.Moved++
		if first < 0 {
			first = i
		}
		if len(r.response.Moving) < maxFields {
			r.response.Moving = append(r.response.Moving, slices.DeleteFunc(r.against(second, i).fields(), func(f string) bool {
				return slices.Contains(r.response.Moving, f)
			})...)
		}
	}
	return first
}

// against is what differs between the answers of two replays.
func (r *run) against(second *run, i int) changes {
	a, b := r.answers[i], second.answers[i]
	recorded, err := r.recordedOutput(r.compared[i])
	if err != nil {
		return unreadable(fmt.Errorf("the recorded output can't be read: %w", err))
	}
	for _, one := range []*answer{&a, &b} {
		if one.hash == r.compared[i].hash {
			one.output = recorded // what equals the record was not kept
		}
	}
	return between(a, b)
}

// nondeterministic is the verdict where two replays differ. Both sent the same, into
// instances that are said to be in the same state: no doubt about the record matters,
// but one about the replays does.
func (r *run) nondeterministic(second *run, at int) {
	out, x, c := r.response, r.compared[at], r.against(second, at)
	kinds := c.kinds()
	before := ""
	if d := out.GetDivergence(); d != nil && d.GetRequestOffset() < x.offset {
		before = fmt.Sprintf("; before that, at %d, both gave an answer that differs from the recorded one", d.GetFirstBadOffset())
	}
	out.Result = auditv1.ReplayResult_REPLAY_RESULT_NONDETERMINISTIC
	out.Reason = fmt.Sprintf("two replays differ from each other in %d of %d answers, first in the one to request %d, recorded at %d%s",
		out.GetMoved(), min(len(r.answers), len(second.answers)), x.offset, x.outcome, before)
	out.Divergence = &auditv1.Divergence{
		Kind: kinds[0], Kinds: kinds, Fields: c.fields(), Diff: c.lines(), FirstBadOffset: x.outcome, RequestOffset: x.offset,
		OriginalHash: x.hash[:], ReplayHash: r.answers[at].octets(), SecondHash: second.answers[at].octets(),
	}
	d, lost := r.lostBefore(x)
	if !lost {
		d, lost = second.lostBefore(x)
	}
	if lost {
		out.Divergence.After = d.String()
		out.Reason += fmt.Sprintf("; after %s: what that did to the pipeline is not known", d)
	}
	if second.cannotTell != "" {
		out.Reason += "; the second replay did not come to its end: " + second.cutShort()
	}
}

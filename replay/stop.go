package replay

import (
	"fmt"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// unsent is why nothing can be told where somebody ended a replay before its first
// request.
const unsent = "stopped before anything was sent"

// stopped: somebody ended the replay before x was answered.
func (r *run) stopped(x *exchange) { r.cannotTell = fmt.Sprintf("stopped at offset %d", x.offset) }

// unchecked is the verdict where somebody ended the replay while the links were
// checked.
func (p *plan) unchecked(v *auditlog.View) *auditv1.AuditReplayResponse {
	out := newResponse(p, &verify.Report{Entries: p.entries})
	out.ChainRoot = nil
	out.Result = auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL
	out.Reason = fmt.Sprintf("%s: the links of %d entries of %d were checked", unsent, p.entries, v.Tip().Offset-v.First()+1)
	return out
}

// cutShort is why the replay did not come to its end, and how far it came; empty: it
// did.
func (r *run) cutShort() string {
	if r.cannotTell == "" {
		return ""
	}
	all := 0
	for _, x := range r.plan.exchanges {
		if x.compares() {
			all++
		}
	}
	return fmt.Sprintf("%s; %d of %d answers were compared", r.cannotTell, len(r.compared), all)
}

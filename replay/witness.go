package replay

import (
	"context"
	"fmt"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// Witness compares the log with what is known of it from elsewhere. It is called by
// one goroutine.
type Witness interface {
	// Each gets every entry whose links hold, and its event, in order.
	Each(e auditlog.Entry, ev *logv1.Event)
	// Judge is asked when all links were checked and hold.
	Judge(ctx context.Context, v *auditlog.View, checked *verify.Report) (Testimony, error)
}

// Testimony is what a Witness found.
type Testimony struct {
	// By says in words what the log agrees with, as "the ledger"; empty: with nothing.
	By string
	// Through is the last offset that this covers.
	Through uint64
	// Differs are contradictions between the log and what is known of it, Missing is
	// what was to speak for the log and does not.
	Differs, Missing []verify.Finding
}

// watch gives each entry to the plan, and to the witness.
func (o Options) watch(plan func(auditlog.Entry, *logv1.Event)) func(auditlog.Entry, *logv1.Event) {
	if o.Witness == nil {
		return plan
	}
	return func(e auditlog.Entry, ev *logv1.Event) {
		plan(e, ev)
		o.Witness.Each(e, ev)
	}
}

// vouch says whether the log may be replayed. If not, the verdict is in the response.
func (r *run) vouch(ctx context.Context, checked *verify.Report) (bool, error) {
	if !checked.OK() {
		r.tampered(checked.Findings[0], checked.Findings[0].Code == verify.CodeTrustedRoot)
		return false, nil
	}
	for offset := range r.options.Trusted {
		r.response.Trusted = "the trusted root"
		r.response.TrustedThrough = max(r.response.TrustedThrough, offset)
	}
	if r.options.Witness == nil {
		return true, nil
	}
	t, err := r.options.Witness.Judge(ctx, r.view, checked)
	if err != nil && ctx.Err() != nil {
		r.response.Result, r.response.Reason = auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL, unsent
		return false, nil //nolint:nilerr // the verdict says that it was stopped
	}
	if err != nil {
		return false, fmt.Errorf("replay: %w", err)
	}
	if len(t.Differs) > 0 {
		r.tampered(t.Differs[0], true)
		return false, nil
	}
	if len(t.Missing) > 0 {
		r.response.Result = auditv1.ReplayResult_REPLAY_RESULT_CANNOT_TELL
		r.response.Reason = "what was to speak for the log does not, so nothing was sent: " + t.Missing[0].String()
		return false, nil
	}
	if t.By != "" && (r.response.Trusted == "" || t.Through > r.response.TrustedThrough) {
		r.response.Trusted, r.response.TrustedThrough = t.By, t.Through
	}
	return true, nil
}

// tampered is the verdict over a log that contradicts itself, or what is known of it
// from elsewhere. Damage looks the same. Nothing is sent.
func (r *run) tampered(f verify.Finding, elsewhere bool) {
	kind, what := auditv1.DivergenceKind_DIVERGENCE_KIND_CHAIN_BROKEN, "the log does not hold together"
	if elsewhere {
		kind, what = auditv1.DivergenceKind_DIVERGENCE_KIND_ROOT_DIFFERS, "the log is not the one that is known"
	}
	r.response.Result = auditv1.ReplayResult_REPLAY_RESULT_TAMPERED
	r.response.Reason = what + ", so nothing was sent: " + f.String()
	r.response.Divergence = &auditv1.Divergence{
		Kind: kind, Kinds: []auditv1.DivergenceKind{kind}, FirstBadOffset: f.Offset,
	}
}

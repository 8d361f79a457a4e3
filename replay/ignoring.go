package replay

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"verbatim/replay/target"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/output"
)

// ignoring is what the two sides of a comparison leave out.
type ignoring struct {
	// chosen is for all, whatever the log sealed; nil: none is.
	chosen *output.IgnorePolicy
	text   []byte                         // chosen's
	sealed map[string]output.IgnorePolicy // by their sealed text
}

// readPolicies reads the ignore policies that the range was recorded under, before
// anything is sent, and says which the answers are compared under.
func (r *run) readPolicies() error {
	g := &r.ignoring
	g.sealed = map[string]output.IgnorePolicy{"": output.DefaultIgnorePolicy()}
	if g.chosen = r.options.Ignore; g.chosen != nil {
		g.text = g.chosen.JSON()
	}
	out := r.response
	out.IgnorePolicySealed = true
	for _, x := range r.plan.exchanges {
		if _, known := g.sealed[string(x.ignore)]; !known {
			policy, err := output.ParseIgnorePolicy(x.ignore)
			if err != nil {
				return fmt.Errorf("read ignore policy of request %d: %w", x.offset, err)
			}
			g.sealed[string(x.ignore)] = policy
		}
		digest := sha256.Sum256(g.of(x).JSON())
		if !slices.ContainsFunc(out.IgnorePolicySha256, func(d []byte) bool { return bytes.Equal(d, digest[:]) }) {
			out.IgnorePolicySha256 = append(out.IgnorePolicySha256, digest[:])
		}
		out.IgnorePolicySealed = out.IgnorePolicySealed && len(x.ignore) > 0 && !g.another(x)
	}
	return nil
}

// of is the policy that the answer to x is compared under.
func (g *ignoring) of(x *exchange) output.IgnorePolicy {
	if g.chosen != nil {
		return *g.chosen
	}
	return g.sealed[string(x.ignore)]
}

// another says whether the answer to x was recorded under another policy than the
// chosen one.
func (g *ignoring) another(x *exchange) bool {
	return g.chosen != nil && !bytes.Equal(g.text, x.ignore)
}

// recordedUnder is the recorded output of x under the policy that it is compared under.
func (r *run) recordedUnder(x *exchange, request *target.Request) ([]byte, error) {
	e, err := r.view.Entry(x.outcome)
	if err != nil {
		return nil, err
	}
	ev, err := e.Event()
	if err != nil {
		return nil, err
	}
	if !r.ignoring.another(x) {
		return ev.GetResponse().GetOutput(), nil
	}
	c, err := output.Reapply(ev.GetResponse(), output.RequestPath(request.Headers), r.ignoring.of(x))
	return c.Output, err
}

// bringUnder brings the recorded answer to x under the chosen policy. Where that can't
// be done, nothing can be told.
func (r *run) bringUnder(x *exchange, request *target.Request) {
	if x.ending != answered || !r.ignoring.another(x) {
		return
	}
	recorded, err := r.recordedUnder(x, request)
	if err != nil {
		r.cannotTell = fmt.Sprintf("the answer recorded at %d can't be brought under the chosen ignore policy: %v", x.outcome, err)
		return
	}
	x.hash = chain.EventHash(recorded)
}

// sayPolicy adds to a verdict what it was reached under, if not what the log sealed.
func (r *run) sayPolicy() {
	if r.options.Ignore != nil && !r.response.GetIgnorePolicySealed() {
		r.response.Reason += "; under an ignore policy that is not the sealed one"
	}
}

package replay

import "fmt"

// excuse is what else than the pipeline can explain that x's answer differs from the
// recorded one, in words; empty: nothing that is known.
func (r *run) excuse(x *exchange) string {
	if d, doubtful := r.before(x); doubtful {
		return fmt.Sprintf("after %s: what that did to the pipeline is not known", d)
	}
	if unsent := r.plan.unsentBefore(x); len(unsent) > 0 {
		return fmt.Sprintf("after %d requests that are not selected and were not sent again, the first at offset %d, and that may explain it; %s",
			len(unsent), unsent[0], r.plan.remedy(unsent))
	}
	if r.plan.pruned > 0 {
		return fmt.Sprintf("after what was in the pipeline before offset %d, which is pruned and was not sent again", r.plan.pruned)
	}
	return ""
}

// remedy says how to send what was not sent. What came in behind the end of the
// range no warming sends.
func (p *plan) remedy(unsent []uint64) string {
	if unsent[len(unsent)-1] >= p.behind {
		return "to tell, replay all of the log"
	}
	return fmt.Sprintf("to tell, send them too, with --warm-from %d", unsent[0])
}

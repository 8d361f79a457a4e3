package replay

import (
	"fmt"

	"verbatim/sidecar/output"
)

// asStream is the answer in the form of a stream where the recorded one has it:
// where one part ends is not output. c is its form as a whole.
func (r *run) asStream(x *exchange, m output.Message, c output.Canonicalized) (_ output.Canonicalized, failure, err error) {
	e, err := r.view.Entry(x.outcome)
	if err != nil {
		return c, nil, fmt.Errorf("replay: %w", err)
	}
	ev, err := e.Event()
	if err != nil {
		return c, nil, fmt.Errorf("replay: %w", err)
	}
	recorded, err := output.Decode(ev.GetResponse().GetOutput())
	if err != nil || len(recorded.GetStreamSha256()) == 0 {
		return c, nil, nil //nolint:nilerr // an output that is none differs from any
	}
	m.Stream = output.StreamOf(m.Body)
	c, failure = output.Canonical(m, r.policies[string(x.ignore)])
	return c, failure, nil
}

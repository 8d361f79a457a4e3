package replay

import (
	"context"
	"errors"
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay/target"
	"verbatim/sidecar/output"
)

// shownOctets is how much of a streamed body is kept to show where it differs.
const shownOctets = 64 << 10

// sendStream gives the target a request of an exchange that was recorded in parts.
// Each part is sent when the pipeline has given as many octets as it had by then.
// The answer is brought into the form of the recorded one.
func (r *run) sendStream(ctx context.Context, x *exchange, request *target.Request) (c output.Canonicalized, failure, err error) {
	whole, idle := x.stream.bounds(r.options.Timeout)
	ctx, cancel := context.WithTimeout(ctx, whole)
	defer cancel()
	request.Idle, request.BreakOff = idle, x.breakOff()
	if x.ending == answered && !x.stream.digested {
		var m output.Message
		if m, failure = r.target.Do(ctx, request); failure == nil {
			c, failure = r.canonical(x, request, m)
		}
	} else {
		var a target.Answer
		a, failure = r.target.Stream(ctx, request, shownOctets, int64(x.stream.octets)+target.DefaultMaxBody)
		if failure == nil {
			m := a.Message
			m.Body, m.Stream = nil, &output.Stream{Octets: a.Octets, SHA256: a.SHA256}
			c, failure = r.canonical(x, request, m)
		}
		if failure != nil || c.Hash != x.hash {
			x.stream.replayed = a.Body
		}
	}
	if errors.Is(failure, target.ErrParts) {
		return c, nil, fmt.Errorf("replay: request %d: %w", x.offset, failure)
	}
	return c, failure, nil
}

// parts reads the parts of a request one by one.
func (r *run) parts(x *exchange) target.Parts {
	return func(yield func(target.Part, error) bool) {
		for _, p := range x.stream.parts {
			ev, err := r.event(p.offset)
			recorded := ev.GetRequestPart()
			if !yield(target.Part{
				Offset: p.offset, After: p.after, Data: recorded.GetData(), Trailers: recorded.GetTrailers(), Last: recorded.GetLast(),
			}, err) {
				return
			}
		}
	}
}

// warnOfStreams says what of the streams a replay can't give again as it was.
func (r *run) warnOfStreams() {
	warn := func(n int, what string) {
		if n > 0 {
			r.response.Warnings = append(r.response.Warnings, fmt.Sprintf(what, n))
		}
	}
	warn(r.notReplayable, "%d requests were not sent, because their octets were not kept")
	warn(r.plan.turnsEnded(), "%d streams gave their turn back before their end: what was in the pipeline beside them is sent behind them")
}

// compareFirst says where a streamed body differs, as far as its first octets show.
func (r *run) compareFirst(x *exchange) change {
	if x.stream == nil || !x.stream.digested {
		return change{}
	}
	var recorded []byte
	for _, o := range x.stream.first {
		ev, err := r.event(o)
		if err != nil {
			return unreadable(fmt.Errorf("the recorded body can't be read: %w", err))[0]
		}
		recorded = append(recorded, ev.GetResponsePart().GetData()...)
	}
	recorded = recorded[:min(len(recorded), shownOctets)]
	body := func(b []byte) *logv1.Output { return &logv1.Output{HasBody: len(b) > 0, Body: b} }
	return compareBodies(body(recorded), body(x.stream.replayed))
}

package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/replay/target"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
	"verbatim/sidecar/output"
	"verbatim/sidecar/query"
	"verbatim/sidecar/verify"
)

// DefaultTimeout bounds one request.
const DefaultTimeout = 30 * time.Second

// Options say what is replayed, and into what.
type Options struct {
	Selection query.Selection
	// Target opens the pipeline, given the protocol that the log names for it
	// ("" if none): after the links are checked.
	Target func(protocol string) (*target.Target, error)
	// TargetImage is the image that the target is declared to run; empty: not
	// declared.
	TargetImage string
	// All goes on after the first difference.
	All bool
	// Ignore is the policy that both sides of each comparison are brought under; nil:
	// each request's own, as its Start sealed it.
	Ignore *output.IgnorePolicy
	// Timeout bounds one request; 0: DefaultTimeout.
	Timeout time.Duration
	// Clock is set to each event's time before the event is sent; may be nil.
	Clock Clock
	// Emit gets every replayed event as it is produced; may be nil. Its error
	// ends the replay.
	Emit func(*auditv1.ReplayedExchange) error
	// Total is told how many requests will be looked at, once that is known; may
	// be nil.
	Total func(requests int)
	// Diverged is told what differs first, before a verdict of DIVERGENCE over it;
	// may be nil.
	Diverged func(Difference)
}

// Difference is the first answer that differs.
type Difference struct {
	// RequestOffset is of the request, Offset of the recorded answer.
	RequestOffset, Offset uint64
	// Output is the canonical one that the pipeline gave now; nil: it gave none.
	Output []byte
}

// ErrPart says that a replay can't leave out what the selection does.
var ErrPart = errors.New("a replay sends requests whole and in their order")

// replayable says whether a selection is by offsets, meters and times alone.
func replayable(s query.Selection) error {
	if len(s.Kinds)+len(s.Statuses) > 0 || s.Order != query.OldestFirst || s.Limit > 0 || s.Cursor != "" {
		return fmt.Errorf("replay: %w: select by offsets, meters and times alone", ErrPart)
	}
	return nil
}

// Run replays a selection of a view. The verdict is in the response; an error
// means that there is none: ErrPart, query.ErrRange, query.ErrSelection, or a view
// or target that can't be used.
func Run(ctx context.Context, v *auditlog.View, o Options) (*auditv1.AuditReplayResponse, error) {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if err := replayable(o.Selection); err != nil {
		return nil, err
	}
	from, behind, err := o.Selection.Span(v)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	p := newPlan(o.Selection.Meters, from, behind)
	checked, err := verify.Verify(ctx, v, verify.Options{Each: p.add})
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	r := &run{view: v, options: o, plan: p, response: newResponse(p, checked)}
	if !checked.OK() {
		return r.chainBroken(checked), nil
	}
	p.finish()
	if o.Total != nil {
		o.Total(len(p.exchanges))
	}
	if err := r.readPolicies(); err != nil {
		return nil, err
	}
	if r.target, err = o.Target(p.protocol); err != nil {
		return nil, err
	}
	defer r.target.Close()
	began := time.Now()
	if err := r.all(ctx); err != nil {
		return nil, err
	}
	r.warnOfStreams()
	r.response.ReplayUs = uint64(time.Since(began).Microseconds())
	return r.verdict(), nil
}

// run is one replay under way. One goroutine owns it.
type run struct {
	view     *auditlog.View
	options  Options
	plan     *plan
	ignoring ignoring
	target   *target.Target
	response *auditv1.AuditReplayResponse

	original, replayed chain.Prefixes // of the compared outputs
	compared           []*exchange
	firstBad           *difference
	cannotTell         string
	notReplayable      int // requests whose octets were not kept: nothing was sent for them
}

// difference is the first compared exchange whose outputs differ.
type difference struct {
	x      *exchange
	output []byte // nil: there was none
	cause  error  // why there was none
}

// all sends every exchange of the plan, or stops where nothing more is to learn.
func (r *run) all(ctx context.Context) error {
	for _, x := range r.plan.exchanges {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("replay: %w", context.Cause(ctx))
		}
		if err := r.one(ctx, x); err != nil {
			return err
		}
		if r.cannotTell != "" || r.firstBad != nil && !r.options.All {
			return nil
		}
	}
	return nil
}

// one replays an exchange by the format's rules.
func (r *run) one(ctx context.Context, x *exchange) error {
	r.count(x)
	if x.ending == notDelivered {
		return nil
	}
	if x.unsendable() {
		r.notReplayable++
		return nil
	}
	request, err := r.load(x)
	if err != nil {
		return err
	}
	if r.bringUnder(x, request); r.cannotTell != "" {
		return nil
	}
	if err := r.setClock(x, request); err != nil {
		return err
	}
	began := time.Now()
	canonical, failure, err := r.send(ctx, x, request)
	if err != nil {
		return err
	}
	if errors.Is(failure, target.ErrUnreachable) {
		r.cannotTell = fmt.Sprintf("the target could not be reached at request %d: %v", x.offset, failure)
		return nil
	}
	if errors.Is(failure, target.ErrUnsendable) {
		r.cannotTell = fmt.Sprintf("request %d can't be sent as it is recorded: %v", x.offset, failure)
		return nil
	}
	if errors.Is(failure, errLedBack) {
		r.cannotTell = fmt.Sprintf("at request %d %v; name another instance of the pipeline", x.offset, failure)
		return nil
	}
	r.response.Sent++
	event := &auditv1.ReplayedExchange{
		RequestOffset: x.offset, MeterIds: x.meters, DurationUs: uint64(time.Since(began).Microseconds()),
		ReplayHash: hashOf(canonical, failure), Compared: x.ending == answered,
	}
	if x.ending == answered {
		r.compare(x, canonical, failure, event)
	}
	if r.options.Emit == nil {
		return nil
	}
	return r.options.Emit(event)
}

func hashOf(c output.Canonicalized, failure error) []byte {
	if failure != nil {
		return nil
	}
	return c.Hash[:]
}

// send gives the target one request. failure is what the target did wrong, err
// what we did.
func (r *run) send(ctx context.Context, x *exchange, request *target.Request) (c output.Canonicalized, failure, err error) {
	if x.stream != nil {
		c, failure, err = r.sendStream(ctx, x, request)
		if ctx.Err() != nil {
			err = fmt.Errorf("replay: %w", context.Cause(ctx))
		}
		return c, failure, err
	}
	bounded, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	message, failure := r.target.Do(bounded, request)
	if ctx.Err() != nil {
		return c, nil, fmt.Errorf("replay: %w", context.Cause(ctx))
	}
	if failure == nil && ledBack(message) {
		failure = errLedBack
	}
	if failure == nil {
		message.Path = output.RequestPath(request.Headers)
		c, failure = output.Canonical(message, r.ignoring.of(x))
	}
	return c, failure, nil
}

// compare takes an output into account that the log has too.
func (r *run) compare(x *exchange, c output.Canonicalized, failure error, event *auditv1.ReplayedExchange) {
	x.replayed = chain.Hash{}
	if failure == nil {
		x.replayed = c.Hash
	}
	r.original.Add(x.hash)
	r.replayed.Add(x.replayed)
	r.compared = append(r.compared, x)
	r.response.Compared++
	event.ResponseOffset, event.OriginalHash = &x.outcome, x.hash[:]
	event.Equal = x.replayed == x.hash
	if event.Equal {
		return
	}
	r.response.Differences++
	if r.firstBad == nil {
		r.firstBad = &difference{x: x, output: c.Output, cause: failure}
	}
}

func (r *run) count(x *exchange) {
	r.response.Requests++
	switch {
	case x.local:
		r.response.LocalReplies++
	case x.ending != answered:
		r.response.WithoutResponse++
	}
}

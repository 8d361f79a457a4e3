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
	// Second opens another fresh instance of it, when the replay into the first is
	// over; nil: there is one replay. With it both go on after differences.
	Second func(protocol string) (*target.Target, error)
	// TargetImage is the image that the target is declared to run; empty: not
	// declared.
	TargetImage string
	// All goes on after the first difference.
	All bool
	// WarmFrom: every request from this offset on is sent, in its order; what is not
	// selected is not compared. nil: only what is selected is sent.
	WarmFrom *uint64
	// Pace is how fast requests follow each other.
	Pace Pace
	// Trusted are entry hashes that the reader knows from elsewhere, by offset.
	Trusted map[uint64]chain.Hash
	// Witness knows more of the log from elsewhere; may be nil.
	Witness Witness
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
	// Total is told how many requests each replay will look at, once that is known;
	// may be nil.
	Total func(requests int)
	// Sending is told the offset of each request before it is sent; may be nil.
	Sending func(offset uint64)
	// Diverged is told what differs first from the log, before a verdict over it that
	// lays it to the pipeline; may be nil.
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
// or target that can't be used. A context that ends, ends the replay with a verdict
// over what was compared until then.
func Run(ctx context.Context, v *auditlog.View, o Options) (*auditv1.AuditReplayResponse, error) {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if err := replayable(o.Selection); err != nil {
		return nil, err
	}
	p, err := o.plan(v)
	if err != nil {
		return nil, err
	}
	checked, err := verify.Verify(ctx, v, verify.Options{Trusted: o.Trusted, Each: o.watch(p.add)})
	if err != nil && ctx.Err() != nil {
		return p.unchecked(v), nil //nolint:nilerr // the verdict says that it was stopped
	}
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	r := &run{view: v, options: o, plan: p, number: 1, response: newResponse(p, checked)}
	if vouched, err := r.vouch(ctx, checked); err != nil || !vouched {
		return r.response, err
	}
	p.finish(checked)
	if o.Total != nil {
		o.Total(len(p.exchanges))
	}
	if err := r.readPolicies(); err != nil {
		return nil, err
	}
	if err := r.drive(ctx, o.Target); err != nil {
		return nil, err
	}
	if o.Second == nil {
		return r.verdict(), nil
	}
	return r.again(ctx)
}

// plan is the empty plan of the selection.
func (o Options) plan(v *auditlog.View) (*plan, error) {
	from, behind, err := o.Selection.Span(v)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	p := newPlan(o.Selection.Meters, from, behind)
	if o.WarmFrom == nil {
		return p, nil
	}
	if _, _, err := (query.Selection{Start: o.WarmFrom}).Span(v); err != nil {
		return nil, fmt.Errorf("replay: warm: %w", err)
	}
	p.warmFrom = o.WarmFrom
	return p, nil
}

// drive makes one replay, into a target that it opens and closes.
func (r *run) drive(ctx context.Context, open func(protocol string) (*target.Target, error)) (err error) {
	r.target, err = open(r.plan.protocol)
	if err != nil && ctx.Err() != nil {
		r.cannotTell = unsent
		return nil
	}
	if err != nil {
		return err
	}
	defer r.target.Close()
	r.response.Replays++
	began := time.Now()
	err = r.all(ctx)
	if r.number == 1 {
		r.warnOfStreams()
	}
	r.response.ReplayUs += uint64(time.Since(began).Microseconds())
	return err
}

// run is one replay under way. One goroutine owns it.
type run struct {
	view     *auditlog.View
	options  Options
	plan     *plan
	ignoring ignoring
	number   uint32 // 1, or 2 of the second
	target   *target.Target
	pacer    pacer
	response *auditv1.AuditReplayResponse

	original, replayed chain.Prefixes // of the compared outputs
	compared           []*exchange
	answers            []answer // to those, in the same order
	kept               int      // octets of outputs in answers
	firstBad           *difference
	lost               []doubt     // requests that got no answer in this replay, by offset
	unreached          *difference // what the target could not be reached at
	cannotTell         string
	notReplayable      int // requests whose octets were not kept: nothing was sent for them
}

// difference is an exchange and what it got.
type difference struct {
	x      *exchange
	answer answer
}

// all sends every exchange of the plan, or stops where nothing more is to learn.
func (r *run) all(ctx context.Context) error {
	r.pacer = r.options.Pace.begin()
	for _, x := range r.plan.exchanges {
		if !r.pacer.wait(ctx, x.clockMS) {
			r.stopped(x)
		} else if err := r.one(ctx, x); err != nil {
			return err
		}
		if r.cannotTell != "" || r.firstBad != nil && !r.options.goOn() {
			return nil
		}
	}
	return nil
}

// goOn says whether a difference ends the replay.
func (o Options) goOn() bool { return o.All || o.Second != nil }

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
	if r.options.Sending != nil {
		r.options.Sending(x.offset)
	}
	began := time.Now()
	canonical, failure, err := r.send(ctx, x, request)
	if ctx.Err() != nil {
		r.stopped(x)
		return nil //nolint:nilerr // the verdict says that it was stopped
	}
	if err != nil {
		return err
	}
	if r.withoutVerdict(x, failure) {
		return nil
	}
	if r.response.Sent++; x.warm {
		r.response.Warmed++
	}
	event := &auditv1.ReplayedExchange{
		RequestOffset: x.offset, MeterIds: x.meters, DurationUs: uint64(time.Since(began).Microseconds()),
		ReplayHash: hashOf(canonical, failure), Compared: x.compares(), Warmed: x.warm, Replay: r.number,
	}
	got := answer{hash: canonical.Hash, output: canonical.Output}
	if failure != nil {
		got = answer{failure: failureCode(failure), cause: failure}
	}
	if x.compares() {
		r.compare(x, got, event)
	}
	if failure != nil {
		r.lose(x, failure)
	}
	if r.options.Emit == nil {
		return nil
	}
	return r.options.Emit(event)
}

// withoutVerdict says whether a failure is none of the pipeline's, and ends the replay.
func (r *run) withoutVerdict(x *exchange, failure error) bool {
	switch {
	case errors.Is(failure, target.ErrUnreachable):
		r.unreached = &difference{x, answer{failure: failureCode(failure), cause: failure}}
		r.cannotTell = fmt.Sprintf("the target could not be reached at request %d: %v", x.offset, failure)
	case errors.Is(failure, target.ErrUnsendable):
		r.cannotTell = fmt.Sprintf("request %d can't be sent as it is recorded: %v", x.offset, failure)
	case errors.Is(failure, errLedBack):
		r.cannotTell = fmt.Sprintf("at request %d %v; name another instance of the pipeline", x.offset, failure)
	default:
		return false
	}
	return true
}

func hashOf(c output.Canonicalized, failure error) []byte {
	if failure != nil {
		return nil
	}
	return c.Hash[:]
}

// send gives the target one request. failure is what the target did wrong, unless ctx
// has ended; err what we did.
func (r *run) send(ctx context.Context, x *exchange, request *target.Request) (c output.Canonicalized, failure, err error) {
	if x.stream != nil {
		return r.sendStream(ctx, x, request)
	}
	bounded, cancel := context.WithTimeout(ctx, r.options.Timeout)
	defer cancel()
	message, failure := r.target.Do(bounded, request)
	if failure == nil {
		c, failure = r.canonical(x, request, message)
	}
	return c, failure, nil
}

// canonical is the form of an answer of the pipeline, and of no other, under the policy
// that it is compared under.
func (r *run) canonical(x *exchange, request *target.Request, m output.Message) (output.Canonicalized, error) {
	if ledBack(m) {
		return output.Canonicalized{}, errLedBack
	}
	m.Path = output.RequestPath(request.Headers)
	return output.Canonical(m, r.ignoring.of(x))
}

// compare takes an output into account that the log has too.
func (r *run) compare(x *exchange, got answer, event *auditv1.ReplayedExchange) {
	r.original.Add(x.hash)
	r.replayed.Add(got.hash)
	r.compared = append(r.compared, x)
	r.response.Compared++
	event.ResponseOffset, event.OriginalHash = &x.outcome, x.hash[:]
	if event.After = r.shadow(x); event.After != "" {
		r.response.Doubtful++
	}
	if event.Equal = got.hash == x.hash; event.Equal {
		r.answers = append(r.answers, answer{hash: got.hash})
		return
	}
	r.response.Differences++
	if r.firstBad == nil {
		r.firstBad = &difference{x, got}
	}
	if r.options.goOn() || r.options.Emit != nil {
		c := r.changes(x, got)
		event.Kinds, event.Diff = c.kinds(), c.lines()
	}
	r.answers = append(r.answers, r.keep(got))
}

func (r *run) count(x *exchange) {
	if x.warm {
		return
	}
	r.response.Requests++
	switch {
	case x.local:
		r.response.LocalReplies++
	case x.ending != answered:
		r.response.WithoutResponse++
	}
}

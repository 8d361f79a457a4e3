package capture

import (
	"fmt"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/types/known/structpb"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
)

// answer is what came of a response so far.
type answer struct {
	begun    bool
	message  output.Message
	local    *logv1.LocalReply
	upstream string
	attempts uint32
	interim  interim // before it
	answerStream
}

// recorded says whether the exchange has an entry that waits for its outcome.
func (x *exchange) recorded() bool { return x.phase == placed || x.phase == released }

func (x *exchange) responseHeaders(h *extprocv3.HttpHeaders, attrs map[string]*structpb.Struct) error {
	if isInterim(h) {
		x.answer.interim.add(attrs)
		x.holdInterim()
		return nil
	}
	attrs = x.answer.interim.or(attrs)
	if !x.recorded() {
		x.answer.takeHeld() // an interim one, which needs no reply any more
		// Skipped, or Envoy answered before the request was whole: it never
		// reached the pipeline.
		x.phase = passed
		return x.send(x.withModes(continueResponseHeaders(), bodyUnseen))
	}
	// A second header list replaces the first: Envoy's own answer after all.
	if err := x.forgetAnswer(); err != nil {
		return err
	}
	x.answer = answer{
		begun: true, local: localReply(attrs),
		upstream: text(attribute(attrs, "upstream.address")),
		attempts: uint32(number(attribute(attrs, "upstream.request_attempt_count"))),
	}
	if x.answer.local != nil && x.phase == placed {
		x.answer.local.Delivered = notDelivered // we hold the request still
	}
	var err error
	list := headerList(h.GetHeaders())
	if x.answer.message.Status, x.answer.message.Headers, err = output.SplitStatus(list); err != nil {
		return fmt.Errorf("read response to %d: %w", x.offset, err)
	}
	if !h.GetEndOfStream() {
		return x.answerHead(list)
	}
	return x.responseWhole(continueResponseHeaders)
}

// beginAnswerBody lets the body of an answer come that is seen whole, if there is
// room for it. The request is the pipeline's by now, or nobody's.
func (x *exchange) beginAnswerBody() error {
	share, _, refused := x.server.holdRoom(anAnswer, replyStatus, x.answer.message.Headers)
	if refused != nil {
		return x.refuseWith(refused)
	}
	x.room = share
	return x.send(x.withModes(continueResponseHeaders(), bodyWhole))
}

func (x *exchange) responseBody(b *extprocv3.HttpBody) error {
	if !x.recorded() {
		return x.send(continueResponseBody())
	}
	if refused := x.server.fitRoom(anAnswer, replyStatus, x.room, len(b.GetBody())); refused != nil {
		return x.refuseWith(refused)
	}
	x.answer.message.Body = b.GetBody()
	if !b.GetEndOfStream() {
		// Envoy holds the answer until its trailers are replied to.
		return x.send(continueResponseBody())
	}
	return x.responseWhole(continueResponseBody)
}

func (x *exchange) responseTrailers(t *extprocv3.HttpTrailers) error {
	if !x.recorded() {
		return x.send(continueResponseTrailers())
	}
	x.answer.message.Trailers = headerList(t.GetTrailers())
	return x.responseWhole(continueResponseTrailers)
}

// responseWhole records an answer and lets it go on to the client.
func (x *exchange) responseWhole(reply func() *extprocv3.ProcessingResponse) error {
	if x.phase == released {
		x.server.Metrics.WaitedForPipeline(time.Since(x.sentAt))
	}
	event, err := x.responseEvent()
	if err != nil {
		return err
	}
	draft, err := auditlog.NewDraft(event)
	if err != nil {
		return err
	}
	pending := x.server.Log.Append(draft)
	// The outcome has its place: whoever is next may enter, and the log closes
	// the request itself if this entry fails.
	x.phase = concluded
	x.endTurn()
	x.tellSeen()
	if _, err := x.durable(pending); err != nil {
		return x.answerNotRecorded(err, reply)
	}
	return x.send(reply())
}

// tellSeen says who answered.
func (x *exchange) tellSeen() {
	if x.server.Seen != nil {
		x.server.Seen(x.answer.upstream, x.request.listener)
	}
}

func (x *exchange) answerNotRecorded(err error, reply func() *extprocv3.ProcessingResponse) error {
	if !x.server.failsOpen() {
		return x.refuse("not-writable", "the answer could not be recorded: "+x.sentence(err))
	}
	x.server.Losses.Add("sidecar", "an answer could not be recorded and passed: fail open")
	return x.send(reply())
}

func (x *exchange) responseEvent() (*logv1.Event, error) {
	return x.answer.event(x.offset, x.request.headers, x.server.Ignore)
}

// event is the outcome of the request at an offset, which has these headers.
func (a *answer) event(request uint64, headers []*logv1.Header, ignore output.IgnorePolicy) (*logv1.Event, error) {
	a.message.Path = output.RequestPath(headers)
	canonical, err := output.Canonical(a.message, ignore)
	if err != nil {
		return nil, fmt.Errorf("canonicalize response to %d: %w", request, err)
	}
	return &logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{
		RequestOffset: request, Output: canonical.Output, IgnoredHeaders: canonical.Ignored, IgnoredSpans: canonical.Spans,
		UpstreamAddress: a.upstream, AttemptCount: a.attempts, LocalReply: a.local,
	}}}, nil
}

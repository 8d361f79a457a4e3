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
}

// recorded says whether the exchange has an entry that waits for its outcome.
func (x *exchange) recorded() bool { return x.phase == placed || x.phase == released }

func (x *exchange) responseHeaders(h *extprocv3.HttpHeaders, attrs map[string]*structpb.Struct) error {
	if !x.recorded() {
		// Skipped, or Envoy answered before the request was whole: it never
		// reached the pipeline.
		x.phase = passed
		return x.send(continueResponseHeaders())
	}
	// A second header list replaces the first: Envoy's own answer after all.
	x.answer = answer{
		begun: true, local: localReply(attrs),
		upstream: text(attribute(attrs, "upstream.address")),
		attempts: uint32(number(attribute(attrs, "upstream.request_attempt_count"))),
	}
	if x.answer.local != nil && x.phase == placed {
		x.answer.local.Delivered = notDelivered // we hold the request still
	}
	var err error
	if x.answer.message.Status, x.answer.message.Headers, err = output.SplitStatus(headerList(h.GetHeaders())); err != nil {
		return fmt.Errorf("read response to %d: %w", x.offset, err)
	}
	if !h.GetEndOfStream() {
		return x.send(continueResponseHeaders())
	}
	return x.responseWhole(continueResponseHeaders)
}

func (x *exchange) responseBody(b *extprocv3.HttpBody) error {
	if !x.recorded() {
		return x.send(continueResponseBody())
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
	draft, err := x.responseDraft()
	if err != nil {
		return err
	}
	pending := x.server.Log.Append(draft)
	// The outcome has its place: whoever is next may enter, and the log closes
	// the request itself if this entry fails.
	x.phase = concluded
	x.endTurn()
	if x.server.Seen != nil {
		x.server.Seen(x.answer.upstream, x.request.listener)
	}
	if _, err := x.durable(pending); err != nil {
		return x.answerNotRecorded(err, reply)
	}
	return x.send(reply())
}

func (x *exchange) answerNotRecorded(err error, reply func() *extprocv3.ProcessingResponse) error {
	if !x.server.failsOpen() {
		return x.refuse("not-writable", "the answer could not be recorded: "+x.sentence(err))
	}
	x.server.Losses.Add("sidecar", "an answer could not be recorded and passed: fail open")
	return x.send(reply())
}

func (x *exchange) responseDraft() (auditlog.Draft, error) {
	canonical, err := output.Canonical(x.answer.message, x.server.Ignore)
	if err != nil {
		return auditlog.Draft{}, fmt.Errorf("canonicalize response to %d: %w", x.offset, err)
	}
	return auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_Response{Response: &logv1.Response{
		RequestOffset: x.offset, Output: canonical.Output, IgnoredHeaders: canonical.Ignored,
		UpstreamAddress: x.answer.upstream, AttemptCount: x.answer.attempts, LocalReply: x.answer.local,
	}}})
}

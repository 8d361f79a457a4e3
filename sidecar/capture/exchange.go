package capture

import (
	"fmt"
	"net/http"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/room"
)

// phase is how far an exchange is.
type phase int

const (
	gathering  phase = iota // the request comes in
	placed                  // its entry is appended, and it is not let through
	released                // the pipeline may have it
	concluded               // it has an outcome
	passed                  // it is not recorded: skipped, or failed open
	overturned              // we refused it; what follows is of no interest
)

// exchange is one request and its answer. One goroutine owns it: Process.
type exchange struct {
	server   *Server
	stream   stream
	messages <-chan message
	backlog  *backlog
	phase    phase
	request  request
	offset   uint64    // of the Request entry, from placed on
	release  func()    // of the turn; nil without one
	since    time.Time // when the entry was to be written
	sentAt   time.Time
	answer   answer
	steps    []step           // of a stream: what waits to be recorded
	turnOver <-chan time.Time // of a stream: when others may enter; nil: not bounded
	gather   gather           // while the request comes in
	room     *room.Share      // of the message that is there; nil without one
	failed   bool             // we ended the stream
}

// handle takes one message and sends its reply, or leaves that to settle. An
// error fails the stream.
func (x *exchange) handle(m message) error {
	x.backlog.handled += m.counted
	if x.phase == overturned {
		return nil
	}
	if in, err := x.inParts(m.ProcessingRequest); in {
		return err
	}
	if err := x.settle(); err != nil || x.phase == overturned {
		return err
	}
	switch k := m.GetRequest().(type) {
	case *extprocv3.ProcessingRequest_RequestHeaders:
		return x.requestHeaders(k.RequestHeaders, m.GetAttributes())
	case *extprocv3.ProcessingRequest_RequestBody:
		return x.requestBody(k.RequestBody)
	case *extprocv3.ProcessingRequest_RequestTrailers:
		return x.requestTrailers(k.RequestTrailers)
	case *extprocv3.ProcessingRequest_ResponseHeaders:
		return x.responseHeaders(k.ResponseHeaders, m.GetAttributes())
	case *extprocv3.ProcessingRequest_ResponseBody:
		return x.responseBody(k.ResponseBody)
	case *extprocv3.ProcessingRequest_ResponseTrailers:
		return x.responseTrailers(k.ResponseTrailers)
	}
	return nil // no oneof: nothing to answer
}

// send replies to Envoy.
func (x *exchange) send(r *extprocv3.ProcessingResponse) error {
	if err := x.stream.Send(r); err != nil {
		return fmt.Errorf("reply to envoy: %w", err)
	}
	return nil
}

// refuse answers the client with 503 in the pipeline's place.
func (x *exchange) refuse(reason, sentence string) error {
	return x.refuseWith(&refusal{reason, http.StatusServiceUnavailable, sentence})
}

// sentence is what a client is told of an error; the log says the rest.
func (x *exchange) sentence(err error) string {
	x.server.Logger.Debug("not recorded", "err", err)
	return wordOf(err)
}

// end closes whatever the end of the stream leaves open.
func (x *exchange) end() {
	if x.recorded() {
		x.close(x.whyEnded())
	}
	x.close(logv1.AbortCause_ABORT_CAUSE_UNKNOWN, "")
	x.room.Release()
}

// close gives a request without an outcome an Abort, and the turn back. It may be
// called more than once.
func (x *exchange) close(cause logv1.AbortCause, why string) {
	x.gather.end()
	switch x.phase {
	case placed:
		x.abort(notDelivered, cause, "not let through: "+why)
	case released:
		x.abort(maybeDelivered, cause, why)
	}
	x.endTurn()
	x.answer.takeHeld()
}

// abort appends an Abort. It doesn't wait: nothing depends on it, and if it
// can't be written now the log does it when it can.
func (x *exchange) abort(d delivery, cause logv1.AbortCause, reason string) {
	draft, err := auditlog.NewDraft(abortEvent(x.offset, d, cause, reason))
	if err != nil {
		x.server.Logger.Error("abort not recorded", "request", x.offset, "err", err)
		return
	}
	x.server.Log.Append(draft)
	x.phase = concluded
}

// endTurn lets the next one in. It is called once the outcome has its place.
func (x *exchange) endTurn() {
	if x.release != nil {
		x.release()
		x.release = nil
	}
}

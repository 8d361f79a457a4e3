package capture

import (
	"context"
	"fmt"
	"strconv"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/policy"
	"verbatim/sidecar/room"
)

// observedWhole is how long an observed message may take to be recorded whole;
// behind it, what came is recorded in parts, so that little is lost with the process.
const observedWhole = time.Second

// observation records one exchange that Envoy shows and doesn't wait for: profile
// observe. Its entries are in the order in which Envoy's messages come, which is
// only roughly that of what happened. One goroutine owns it.
type observation struct {
	server  *Server
	ctx     context.Context //nolint:containedctx // it is the stream's, and both end together
	request observedRequest
	answer  observedAnswer
	offset  uint64      // of the Request entry, once there is one
	clockMS uint64      // Envoy's, of the request
	share   *room.Share // of what is held in memory; nil: nothing was
	held    int64       // octets
	stage   stage
}

// stage is what has become of an observed exchange.
type stage int

const (
	unseen  stage = iota // no request headers yet
	coming               // the request comes in, or is recorded and waits for its answer
	settled              // recorded with its outcome, skipped, or counted as lost
)

// observe records one exchange and sends nothing. It returns when the exchange is
// settled and its request over, or when Envoy ends the stream.
func (s *Server) observe(st stream) error {
	x := &observation{server: s, ctx: context.WithoutCancel(st.Context())}
	messages := s.receive(st, nil)
	hold := time.NewTimer(observedWhole)
	defer hold.Stop()
	defer x.end()
	for {
		select {
		case m, ok := <-messages:
			if !ok {
				return nil
			}
			before := x.answer.begun
			if err := x.handle(m.ProcessingRequest); err != nil {
				x.lose(err)
			}
			if x.answer.begun && !before {
				hold.Reset(observedWhole)
			}
			if x.stage == settled && x.request.ended {
				return nil
			}
		case <-hold.C:
			if err := x.inParts(); err != nil {
				x.lose(err)
			}
		}
	}
}

func (x *observation) handle(m *extprocv3.ProcessingRequest) error {
	switch k := m.GetRequest().(type) {
	case *extprocv3.ProcessingRequest_RequestHeaders:
		return x.requestHeaders(k.RequestHeaders, m.GetAttributes())
	case *extprocv3.ProcessingRequest_RequestBody:
		return x.requestBody(k.RequestBody)
	case *extprocv3.ProcessingRequest_RequestTrailers:
		return x.requestTrailers(headerList(k.RequestTrailers.GetTrailers()))
	case *extprocv3.ProcessingRequest_ResponseHeaders:
		return x.responseHeaders(k.ResponseHeaders, m.GetAttributes())
	case *extprocv3.ProcessingRequest_ResponseBody:
		return x.responseBody(k.ResponseBody)
	case *extprocv3.ProcessingRequest_ResponseTrailers:
		return x.responseTrailers(headerList(k.ResponseTrailers.GetTrailers()))
	}
	return nil // no oneof: nothing to record
}

// inParts records what was held for too long: of the request, or of the answer.
func (x *observation) inParts() error {
	switch {
	case x.stage != coming:
		return nil
	case !x.request.recorded:
		return x.requestInParts()
	case x.answer.begun:
		return x.answerInParts()
	}
	return nil
}

// append waits until the entry is durable. Nothing but this exchange waits for
// it, and what comes meanwhile stays in Envoy: so memory is bounded.
func (x *observation) append(ev *logv1.Event) error {
	draft, err := auditlog.NewDraft(ev)
	if err != nil {
		return err
	}
	began := time.Now()
	_, err = x.server.Log.Append(draft).Wait(x.ctx)
	x.server.Metrics.WaitedForDisk(time.Since(began))
	return err
}

// hold takes room for octets that are kept in memory.
func (x *observation) hold(octets int) error {
	if x.share == nil {
		x.share, _ = x.server.Room.Take(0)
	}
	if !x.share.Resize(x.held + int64(octets)) {
		return errNoRoom
	}
	x.held += int64(octets)
	return nil
}

func (x *observation) giveBack() {
	x.share.Release()
	x.share, x.held = nil, 0
}

// skipped says whether the policy leaves the request out, and finds its meters.
func (x *observation) skipped() bool {
	seen := policy.Request{Headers: x.request.headers, Body: x.request.body}
	if reason, skip := x.server.Policy.Skip(seen); skip {
		x.server.Log.Skip(reason)
		x.settle()
		return true
	}
	ids, err := x.server.Policy.Meters(seen)
	if err != nil {
		x.server.Logger.Debug("no meter id found", "err", err)
	}
	x.request.meterIDs = ids
	return false
}

// settle ends what there is to do.
func (x *observation) settle() {
	x.stage = settled
	x.request.body, x.answer.message.Body = nil, nil
	x.giveBack()
}

// lose counts an exchange as lost that can't be recorded any more.
func (x *observation) lose(err error) {
	if x.stage != coming {
		return
	}
	x.server.Logger.Debug("exchange not recorded", "err", err)
	x.server.Losses.Add("sidecar", observedLoss(err))
	x.abort("a part of this exchange could not be recorded")
	x.settle()
}

// end closes what the end of the stream leaves open.
func (x *observation) end() {
	if x.stage != coming {
		return
	}
	if !x.request.recorded {
		if err := x.requestInParts(); err != nil {
			x.lose(err)
			return
		}
	}
	if x.stage == coming {
		x.abort("Envoy showed no end of this exchange: a side went away, or what it showed was not read in time")
		x.settle()
	}
}

// abort doesn't wait: if it can't be written now the log does it when it can.
func (x *observation) abort(reason string) {
	if !x.request.recorded || x.answer.concluded {
		return // the log closes a request itself whose outcome it could not write
	}
	draft, err := auditlog.NewDraft(abortEvent(x.offset, maybeDelivered, logv1.AbortCause_ABORT_CAUSE_UNKNOWN, reason))
	if err != nil {
		x.server.Logger.Error("abort not recorded", "request", x.offset, "err", err)
		return
	}
	x.server.Log.Append(draft)
}

// tell counts the exchange for whoever compares with Envoy's counters.
func (x *observation) tell(n int) {
	if x.server.Observed != nil {
		x.server.Observed(x.clockMS, n)
	}
}

// readClock takes the clock that Envoy set; without one, it is now.
func (x *observation) readClock() {
	r := request{headers: x.request.headers}
	var err error
	if x.clockMS, err = strconv.ParseUint(r.header(x.server.ClockHeader), 10, 64); err != nil {
		x.server.Logger.Warn("a request came without the clock that profile observe has Envoy set: print its configuration with verbatim config envoy --profile observe",
			"header", x.server.ClockHeader)
		x.clockMS = uint64(time.Now().UnixMilli())
	}
}

func partOf(offset uint64, data []byte, trailers []*logv1.Header, last bool) *logv1.Event {
	return &logv1.Event{Kind: &logv1.Event_RequestPart{RequestPart: &logv1.RequestPart{
		RequestOffset: offset, Data: data, Trailers: trailers, Last: last,
	}}}
}

// observedLoss is a Gap's reason.
func observedLoss(err error) string {
	if err == errNoRoom { //nolint:errorlint // it is never wrapped
		return "what is held in memory reached its bound: observe"
	}
	return fmt.Sprintf("an exchange could not be recorded whole: %s", wordOf(err))
}

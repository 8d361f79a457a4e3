package capture

import (
	"context"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/types/known/structpb"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/output"
	"verbatim/sidecar/policy"
)

// request is what came of a request so far.
type request struct {
	headers        []*logv1.Header
	hasBody        bool
	body           []byte
	trailersFollow bool
	protocol       string
	source         *logv1.Source
	attempt        uint64 // of Envoy to send it, from 1; 0: not known, as before the router
	listener       string
	meterIDs       []string
	seed           uint64
	requestStream
}

func (x *exchange) requestHeaders(h *extprocv3.HttpHeaders, attrs map[string]*structpb.Struct) error {
	if x.phase != gathering {
		return x.repeated(continueRequestHeaders(nil))
	}
	if x.request.headers != nil {
		return nil
	}
	x.request.headers = headerList(h.GetHeaders())
	x.request.readAttributes(attrs)
	if protocol := x.request.upgrade(); protocol != "" {
		return x.handleUpgrade(protocol)
	}
	if h.GetEndOfStream() {
		return x.requestWhole(continueRequestHeaders)
	}
	if x.beginsStream() {
		return x.requestWhole(x.continueStream)
	}
	return x.beginBody()
}

// beginBody lets a body come, if there is room for it.
func (x *exchange) beginBody() error {
	share, unknown, refused := x.server.holdRoom(aBody, bodyStatus, x.request.headers)
	if refused != nil {
		return x.refuseWith(refused)
	}
	x.room = share
	x.gather.begin(x.server.MaxGather, unknown)
	return x.send(continueRequestHeaders(nil))
}

func (x *exchange) requestBody(b *extprocv3.HttpBody) error {
	if x.phase != gathering {
		return x.repeated(continueRequestBody(nil))
	}
	x.gather.end()
	if refused := x.server.fitRoom(aBody, bodyStatus, x.room, len(b.GetBody())); refused != nil {
		return x.refuseWith(refused)
	}
	x.request.hasBody, x.request.body = true, b.GetBody()
	// In BUFFERED mode the body is whole; if the stream goes on, trailers come,
	// but only after this reply, which must carry the clock already.
	x.request.trailersFollow = !b.GetEndOfStream()
	return x.requestWhole(continueRequestBody)
}

func (x *exchange) requestTrailers(t *extprocv3.HttpTrailers) error {
	switch x.phase {
	case passed, released, concluded:
		return x.repeated(continueRequestTrailers())
	case gathering:
		return x.refuse("trailers", "a request with trailers and no body can't be given its clock")
	}
	trailers := headerList(t.GetTrailers())
	draft, err := auditlog.NewDraft(&logv1.Event{Kind: &logv1.Event_RequestPart{RequestPart: &logv1.RequestPart{
		RequestOffset: x.offset, Trailers: trailers, Last: true,
	}}})
	if err != nil {
		return err
	}
	if _, err := x.durable(x.server.Log.Append(draft)); err != nil {
		return x.refuse("not-writable", "the request's trailers could not be recorded: "+x.sentence(err))
	}
	x.letThrough()
	return x.send(continueRequestTrailers())
}

// repeated answers a message that brings nothing new: one that Envoy sends again.
// Before the request is let through that must not let it through.
func (x *exchange) repeated(reply *extprocv3.ProcessingResponse) error {
	if x.phase == placed {
		return nil
	}
	return x.send(reply)
}

// requestWhole records a request that is there whole, all but its trailers, and
// lets it go on.
func (x *exchange) requestWhole(reply func(*extprocv3.HeaderMutation) *extprocv3.ProcessingResponse) error {
	seen := policy.Request{Headers: x.request.headers, Body: x.request.body}
	if reason, skip := x.server.Policy.Skip(seen); skip {
		x.server.Log.Skip(reason)
		x.phase = passed
		return x.send(reply(nil))
	}
	replayed, err := x.replayed()
	if err != nil {
		return x.refuse("not-writable", "whether this request is in the log already could not be found out: "+x.sentence(err))
	}
	if replayed {
		return x.refuse(output.RefusedReplay, "this request is in the log already: the replay's target leads back to the captured address")
	}
	ids, err := x.server.Policy.Meters(seen)
	if err != nil {
		x.server.Logger.Debug("no meter id found", "err", err)
	}
	x.request.meterIDs = ids
	if gone, err := x.waitForTurn(); gone || err != nil {
		return err
	}
	return x.record(reply)
}

// record appends the request and lets it go on once that is durable.
func (x *exchange) record(reply func(*extprocv3.HeaderMutation) *extprocv3.ProcessingResponse) error {
	x.begins()
	entry, clientSets, err := x.place()
	if err != nil {
		return x.notRecorded(err, clientSets, reply)
	}
	x.request.body = nil
	if refused, err := x.setClock(entry.ClockMS); refused || err != nil {
		return err
	}
	if !x.request.trailersFollow {
		x.letThrough()
	}
	return x.send(reply(x.mutation(entry.ClockMS, clientSets)))
}

// place gives the request its entry and waits until that is durable. clientSets is
// whether the client sent one of the headers that only the capture may set.
func (x *exchange) place() (entry auditlog.Placed, clientSets bool, err error) {
	clientSets = x.keepPipelineHeaders()
	if x.request.seed, err = newSeed(); err != nil {
		return entry, clientSets, err
	}
	entry, err = x.durable(x.server.Log.Append(x.request.draft(x.server.ClockHeader, x.server.SeedHeader)))
	if err != nil {
		return entry, clientSets, err
	}
	x.offset, x.phase = entry.Offset, placed
	return entry, clientSets, nil
}

// notRecorded refuses the request, or lets it pass when failing open.
func (x *exchange) notRecorded(err error, clientSets bool, reply func(*extprocv3.HeaderMutation) *extprocv3.ProcessingResponse) error {
	if !x.server.failsOpen() {
		return x.refuse("not-writable", "the request could not be recorded: "+x.sentence(err))
	}
	x.server.Losses.Add("sidecar", "a request could not be recorded and passed: fail open")
	x.endTurn()
	x.phase = passed
	if clientSets {
		// Without an entry there is no clock; a client's own is none.
		return x.send(reply(&extprocv3.HeaderMutation{RemoveHeaders: []string{x.server.ClockHeader, x.server.SeedHeader}}))
	}
	return x.send(reply(nil))
}

// letThrough is called just before the reply that releases the request.
func (x *exchange) letThrough() {
	x.phase = released
	x.sentAt = time.Now()
	if x.request.stream {
		x.boundTurn()
	}
}

// durable waits for an entry, whatever becomes of the client: an entry that has
// its place needs an outcome.
func (x *exchange) durable(p *auditlog.Pending) (auditlog.Placed, error) {
	began := time.Now()
	entry, err := p.Wait(context.WithoutCancel(x.stream.Context()))
	x.server.Metrics.WaitedForDisk(time.Since(began))
	return entry, err
}

package capture

import (
	"errors"
	"slices"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/protobuf/types/known/structpb"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/auditlog"
)

// errNoRoom says that the bound on what is held in memory is reached.
var errNoRoom = errors.New("no room to hold it")

// observedRequest is what came of a request so far.
type observedRequest struct {
	request
	recorded bool // there is a Request entry
	parts    bool // its body is recorded in parts
	ended    bool
	at       int64 // when Envoy got it, in nanoseconds
}

func (x *observation) requestHeaders(h *extprocv3.HttpHeaders, attrs map[string]*structpb.Struct) error {
	if x.stage != unseen {
		return nil
	}
	x.stage = coming
	x.request.headers = x.pipelineHeaders(headerList(h.GetHeaders()))
	x.request.readAttributes(attrs)
	x.readClock()
	x.request.at = startTime(attrs, x.clockMS)
	x.tell(1)
	if protocol := x.request.upgrade(); protocol != "" {
		x.server.Losses.Add("sidecar", upgradePassed(protocol)) // nothing can be refused here
		x.settle()
		return nil
	}
	if h.GetEndOfStream() {
		return x.requestWhole(nil)
	}
	return nil
}

func (x *observation) requestBody(b *extprocv3.HttpBody) error {
	if x.stage != coming || x.request.ended {
		x.request.ended = x.request.ended || b.GetEndOfStream()
		return nil
	}
	x.request.hasBody = true
	if !x.request.parts && len(x.request.body)+len(b.GetBody()) > x.server.MaxEventBytes {
		if err := x.requestInParts(); err != nil || x.stage != coming {
			return err
		}
	}
	if x.request.parts {
		return x.requestPart(b.GetBody(), b.GetEndOfStream())
	}
	if err := x.hold(len(b.GetBody())); err != nil {
		return err
	}
	x.request.body = append(x.request.body, b.GetBody()...)
	if b.GetEndOfStream() {
		return x.requestWhole(nil)
	}
	return nil
}

func (x *observation) requestPart(data []byte, last bool) error {
	x.request.ended = last
	if len(data) == 0 && !last {
		return nil
	}
	return x.append(partOf(x.offset, data, nil, last))
}

func (x *observation) requestTrailers(trailers []*logv1.Header) error {
	if x.stage != coming || x.request.ended {
		x.request.ended = true
		return nil
	}
	if !x.request.parts {
		return x.requestWhole(trailers)
	}
	x.request.ended = true
	return x.append(partOf(x.offset, nil, trailers, true))
}

// requestWhole records a request in one entry, and its trailers in another.
func (x *observation) requestWhole(trailers []*logv1.Header) error {
	x.request.ended = true
	x.request.trailersFollow = trailers != nil
	if x.skipped() {
		return nil
	}
	if err := x.appendRequest(); err != nil || trailers == nil {
		return err
	}
	return x.append(partOf(x.offset, nil, trailers, true))
}

// requestInParts records what there is of a request that is not whole.
func (x *observation) requestInParts() error {
	body := x.request.body
	if x.skipped() {
		return nil
	}
	x.request.parts, x.request.hasBody, x.request.body = true, true, nil
	if err := x.appendRequest(); err != nil || len(body) == 0 {
		return err
	}
	return x.append(partOf(x.offset, body, nil, false))
}

func (x *observation) appendRequest() error {
	r := x.request
	placed, err := x.appendInOrder(&logv1.Event{Kind: &logv1.Event_Request{Request: &logv1.Request{
		MeterIds: r.meterIDs, Headers: r.headers, HasBody: r.hasBody, Body: r.body,
		TrailersFollow: r.trailersFollow, Protocol: r.protocol, Source: r.source, Stream: r.parts,
	}}})
	if err != nil {
		return err
	}
	x.offset, x.request.recorded, x.request.body = placed.Offset, true, nil
	x.giveBack()
	return nil
}

// appendInOrder is append behind the requests that Envoy got before this one.
func (x *observation) appendInOrder(ev *logv1.Event) (auditlog.Placed, error) {
	draft, err := auditlog.NewDraft(ev)
	if err != nil {
		return auditlog.Placed{}, err
	}
	return x.server.lineup.append(x.server.Log, moment{x.request.at, x.request.attempt}, draft).Wait(x.ctx)
}

// pipelineHeaders takes out of the list what the router behind the filter reads and
// removes. Clock and seed are Envoy's own here, and stay.
func (x *observation) pipelineHeaders(list []*logv1.Header) []*logv1.Header {
	return slices.DeleteFunc(list, func(h *logv1.Header) bool { return x.server.routerRemoves(string(h.GetName())) })
}

// wordOf is what a client or a Gap is told of an error: few words, so that Gaps add up.
func wordOf(err error) string {
	for _, known := range []error{auditlog.ErrNotWritable, auditlog.ErrClosed} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "an internal error"
}

package capture

import (
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// requestStream is what there is besides of a request that is seen in parts.
type requestStream struct {
	stream bool
	ended  bool     // its last part is recorded, or about to be
	mode   bodyMode // as Envoy was told
	// Of a request that is too large to be recorded: what passed so far.
	omitted *omission
}

// beginsStream decides from the headers how the request is to be seen.
func (x *exchange) beginsStream() bool {
	if x.server.Policy.Stream(x.request.headers) {
		x.request.stream = true
	} else if length, ok := contentLength(x.request.headers); ok && x.omits(length) {
		x.request.stream, x.request.omitted = true, newOmission()
	}
	// Which octets there will be is not known, but that Envoy has to expect some is.
	x.request.hasBody = x.request.stream
	return x.request.stream
}

// continueStream lets the headers of a stream go on, and asks for what follows
// them as it comes. What is not recorded is not asked for.
func (x *exchange) continueStream(m *extprocv3.HeaderMutation) *extprocv3.ProcessingResponse {
	if x.phase == passed {
		x.request.mode = bodyUnseen
		return x.withModes(continueRequestHeaders(m), bodyUnseen)
	}
	x.request.mode = bodyInParts
	x.backlog.begin()
	return x.withModes(continueRequestHeaders(m), bodyWhole)
}

// inParts takes a message that is a part of a stream; in is false for any other.
func (x *exchange) inParts(m *extprocv3.ProcessingRequest) (in bool, err error) {
	sent, answered := x.request.mode == bodyInParts && x.phase != passed, x.recorded() && x.answer.seen != seenWhole
	switch k := m.GetRequest().(type) {
	case *extprocv3.ProcessingRequest_RequestBody:
		if sent {
			x.requestChunk(k.RequestBody)
		}
		return sent, nil
	case *extprocv3.ProcessingRequest_RequestTrailers:
		if sent {
			x.requestEnd(headerList(k.RequestTrailers.GetTrailers()), continueRequestTrailers())
		}
		return sent, nil
	case *extprocv3.ProcessingRequest_ResponseBody:
		if answered {
			err = x.answerChunk(k.ResponseBody)
		}
		return answered, err
	case *extprocv3.ProcessingRequest_ResponseTrailers:
		if answered {
			err = x.answerTrailers(headerList(k.ResponseTrailers.GetTrailers()))
		}
		return answered, err
	}
	return false, nil
}

// requestChunk records a piece of a request's body. Behind the outcome there is
// no place for it in the log, so it doesn't pass: Envoy drops it, as the pipeline
// has answered.
func (x *exchange) requestChunk(b *extprocv3.HttpBody) {
	data, last, reply := b.GetBody(), b.GetEndOfStream(), continueRequestBody(nil)
	switch {
	case !x.recorded():
	case x.request.ended:
		if len(data) == 0 { // an end that is repeated
			x.reply(reply)
		}
	case x.request.omitted != nil:
		x.request.omitted.add(data)
		if last {
			x.requestEnd(nil, reply)
		} else {
			x.reply(reply)
		}
	default:
		x.request.ended = last
		x.requestData(data, last, reply)
	}
}

// requestData adds a chunk to the part before it, if that waits still.
func (x *exchange) requestData(data []byte, last bool, reply *extprocv3.ProcessingResponse) {
	part := x.lastEvent().GetRequestPart()
	switch {
	case part != nil && !part.GetLast() && len(part.GetData())+len(data) <= maxPart:
		part.Data, part.Last = append(part.GetData(), data...), last
		x.alsoReply(reply)
	case len(data) == 0 && !last:
		x.reply(reply)
	default:
		x.requestPart(&logv1.RequestPart{Data: data, Last: last}, reply)
	}
}

// requestEnd records the end of a request that comes with trailers, or of one
// whose octets were not kept.
func (x *exchange) requestEnd(trailers []*logv1.Header, reply *extprocv3.ProcessingResponse) {
	if !x.recorded() {
		return
	}
	if x.request.ended {
		x.reply(reply)
		return
	}
	x.request.ended = true
	part := &logv1.RequestPart{Trailers: trailers, Last: true}
	if x.request.omitted != nil {
		part.Omitted = x.request.omitted.message()
	}
	x.requestPart(part, reply)
}

func (x *exchange) requestPart(part *logv1.RequestPart, reply *extprocv3.ProcessingResponse) {
	part.RequestOffset = x.offset
	x.steps = append(x.steps, step{
		event:   &logv1.Event{Kind: &logv1.Event_RequestPart{RequestPart: part}},
		replies: []*extprocv3.ProcessingResponse{reply},
	})
}

package replay

import (
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/replay/target"
)

// load reads a recorded request as the pipeline got it. A stream's parts are read
// when they are sent.
func (r *run) load(x *exchange) (*target.Request, error) {
	ev, err := r.event(x.offset)
	if err != nil {
		return nil, err
	}
	recorded := ev.GetRequest()
	request := &target.Request{
		Headers: recorded.GetHeaders(), HasBody: recorded.GetHasBody(),
		Body: recorded.GetBody(), Trailers: recorded.GetTrailers(), Protocol: recorded.GetProtocol(),
	}
	if recorded.GetStream() {
		request.Parts = r.parts(x)
		return request, nil
	}
	for _, o := range x.parts {
		ev, err := r.event(o)
		if err != nil {
			return nil, err
		}
		request.Body = append(request.Body, ev.GetRequestPart().GetData()...)
		request.Trailers = append(request.Trailers, ev.GetRequestPart().GetTrailers()...)
	}
	return request, nil
}

// event reads the event at an offset.
func (r *run) event(offset uint64) (*logv1.Event, error) {
	e, err := r.view.Entry(offset)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	ev, err := e.Event()
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return ev, nil
}

package replay

import (
	"fmt"

	"verbatim/replay/target"
)

// load reads a recorded request as the pipeline got it.
func (r *run) load(x *exchange) (*target.Request, error) {
	e, err := r.view.Entry(x.offset)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	ev, err := e.Event()
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	recorded := ev.GetRequest()
	request := &target.Request{
		Headers: recorded.GetHeaders(), HasBody: recorded.GetHasBody(),
		Body: recorded.GetBody(), Trailers: recorded.GetTrailers(),
	}
	for _, o := range x.parts {
		e, err := r.view.Entry(o)
		if err != nil {
			return nil, fmt.Errorf("replay: %w", err)
		}
		ev, err := e.Event()
		if err != nil {
			return nil, fmt.Errorf("replay: %w", err)
		}
		request.Body = append(request.Body, ev.GetRequestPart().GetData()...)
		request.Trailers = append(request.Trailers, ev.GetRequestPart().GetTrailers()...)
	}
	return request, nil
}

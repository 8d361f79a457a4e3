package capture

import (
	"strconv"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// mutation sets the clock and the seed. A client's own headers of these names
// are removed first, so that ours stand last, once each, as they are recorded.
func (x *exchange) mutation(clockMS uint64, clientSets bool) *extprocv3.HeaderMutation {
	m := &extprocv3.HeaderMutation{SetHeaders: []*corev3.HeaderValueOption{
		setHeader(x.server.ClockHeader, strconv.FormatUint(clockMS, 10)),
		setHeader(x.server.SeedHeader, strconv.FormatUint(x.request.seed, 10)),
	}}
	if clientSets {
		m.RemoveHeaders = []string{x.server.ClockHeader, x.server.SeedHeader}
	}
	return m
}

func setHeader(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: name, RawValue: []byte(value)},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}

func common(m *extprocv3.HeaderMutation) *extprocv3.CommonResponse {
	if m == nil {
		return nil
	}
	return &extprocv3.CommonResponse{HeaderMutation: m}
}

func continueRequestHeaders(m *extprocv3.HeaderMutation) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestHeaders{
		RequestHeaders: &extprocv3.HeadersResponse{Response: common(m)},
	}}
}

func continueRequestBody(m *extprocv3.HeaderMutation) *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestBody{
		RequestBody: &extprocv3.BodyResponse{Response: common(m)},
	}}
}

func continueRequestTrailers() *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_RequestTrailers{
		RequestTrailers: &extprocv3.TrailersResponse{},
	}}
}

func continueResponseHeaders() *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseHeaders{
		ResponseHeaders: &extprocv3.HeadersResponse{},
	}}
}

func continueResponseBody() *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseBody{
		ResponseBody: &extprocv3.BodyResponse{},
	}}
}

func continueResponseTrailers() *extprocv3.ProcessingResponse {
	return &extprocv3.ProcessingResponse{Response: &extprocv3.ProcessingResponse_ResponseTrailers{
		ResponseTrailers: &extprocv3.TrailersResponse{},
	}}
}

// headerList takes over Envoy's list, in its order.
func headerList(m *corev3.HeaderMap) []*logv1.Header {
	list := make([]*logv1.Header, 0, len(m.GetHeaders())+2)
	for _, h := range m.GetHeaders() {
		value := h.GetRawValue()
		if value == nil {
			value = []byte(h.GetValue())
		}
		list = append(list, &logv1.Header{Name: []byte(h.GetKey()), Value: value})
	}
	return list
}

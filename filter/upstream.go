package filter

import (
	codecv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/upstream_codec/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// upstreamFilters are the pipeline cluster's own: the capture, then the codec,
// which has to be last.
func (c Capture) upstreamFilters() ([]*hcmv3.HttpFilter, error) {
	capture, err := c.HTTPFilters()
	if err != nil {
		return nil, err
	}
	config, err := pack(&codecv3.UpstreamCodec{})
	if err != nil {
		return nil, err
	}
	return append(capture, &hcmv3.HttpFilter{
		Name:       "envoy.filters.http.upstream_codec",
		ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: config},
	}), nil
}

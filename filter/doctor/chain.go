package doctor

import (
	"fmt"
	"time"

	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// defaultStreamIdle is Envoy's own stream_idle_timeout.
const defaultStreamIdle = 5 * time.Minute

// chain looks at the filters behind the capture.
func (x *examination) chain(s *site) {
	for _, f := range s.manager.GetHttpFilters()[s.capture.at+1:] {
		var router routerv3.Router
		if !unpack(f.GetTypedConfig(), &router) {
			x.add("filters-behind", Alters, s.where, "the filter "+f.GetName()+" stands behind the capture: what it changes, refuses or answers is not what is recorded",
				"move it before "+s.capture.name)
			continue
		}
		if !router.GetSuppressEnvoyHeaders() {
			x.add("router-headers", Alters, s.where, "the router adds x-envoy headers behind the capture: the pipeline gets more than is recorded",
				"set suppress_envoy_headers in the router")
		}
	}
}

// manager looks at the connection manager's own settings.
func (x *examination) manager(s *site) {
	m := s.manager
	if t := m.GetRequestTimeout().AsDuration(); t > 0 {
		x.add("request-timeout", Holds, s.where, fmt.Sprintf("request_timeout of %v counts a request's wait for its turn", t), "remove it: request_headers_timeout bounds a slow client")
	}
	idle := defaultStreamIdle
	if t := m.GetStreamIdleTimeout(); t != nil {
		idle = t.AsDuration()
	}
	if idle > 0 && idle <= x.settings.MessageBound {
		x.add("idle-timeout", Holds, s.where, fmt.Sprintf("stream_idle_timeout is %v, and the sidecar may take %v for one message", idle, x.settings.MessageBound),
			fmt.Sprintf("set it above %v", 4*x.settings.MessageBound))
	}
	if t := m.GetCommonHttpProtocolOptions().GetMaxStreamDuration().AsDuration(); t > 0 {
		x.add("stream-duration", Holds, s.where, fmt.Sprintf("max_stream_duration ends each exchange after %v, its wait for a turn included", t), "remove it, or set it above what a stream may last")
	}
	for _, u := range m.GetUpgradeConfigs() {
		where := s.where + ", upgrade " + u.GetUpgradeType()
		if len(u.GetFilters()) > 0 {
			x.add("upgrade-unseen", Loses, where, "it has filters of its own: what is upgraded passes unrecorded and without a Gap", "remove its filters, and see the sidecar's setting for upgrades")
		}
	}
	x.fits(s.where, "per_connection_buffer_limit_bytes", s.listener.GetPerConnectionBufferLimitBytes())
	for _, r := range routesOf(s.routes) {
		if limit := r.route.GetRequestBodyBufferLimit(); limit != nil {
			x.fitsOctets(s.where+", "+r.String(), "request_body_buffer_limit", limit.GetValue())
		}
	}
	if !m.GetHttpProtocolOptions().GetEnableTrailers() {
		x.add("http1-trailers", Alters, s.where, "trailers of HTTP/1.1 requests are dropped before they are recorded: the pipeline does not get them", "set http_protocol_options.enable_trailers")
	}
}

// fits compares a buffer's limit, in octets, with the largest body. Where none is set
// Envoy's is 1 MiB.
func (x *examination) fits(where, setting string, limit *wrapperspb.UInt32Value) {
	octets := uint64(1 << 20)
	if limit != nil {
		octets = uint64(limit.GetValue())
	}
	x.fitsOctets(where, setting, octets)
}

func (x *examination) fitsOctets(where, setting string, octets uint64) {
	if octets < x.settings.MaxEventBytes {
		x.add("buffer-limit", Holds, where, fmt.Sprintf("%s is %d: Envoy refuses bodies that the sidecar would record, up to %d octets", setting, octets, x.settings.MaxEventBytes),
			fmt.Sprintf("set it to %d or more", x.settings.MaxEventBytes))
	}
}

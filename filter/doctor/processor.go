package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"

	"verbatim/filter"
)

// defaultMessageTimeout is Envoy's own.
const defaultMessageTimeout = 200 * time.Millisecond

// stockName is how the filter is called in most configurations.
const stockName = "envoy.filters.http.ext_proc"

// processor looks at the filter's own settings.
func (x *examination) processor(p *processor) {
	c := p.config
	if p.disabled {
		x.add("filter-disabled", Loses, p.where, "the filter is disabled but where a route enables it", "remove `disabled`")
	}
	if p.name == stockName {
		x.add("stock-name", Loses, p.where, "it has the stock name: a route that disables that filter for another product's sake disables the capture", "name it verbatim.capture")
	}
	x.modes(p)
	x.attributes(p)
	if c.GetFailureModeAllow() && !x.settings.FailOpen && !c.GetObservabilityMode() {
		x.add("fail-open", Loses, p.where, "failure_mode_allow lets traffic pass unrecorded when the sidecar fails, and the sidecar is not told so",
			"remove failure_mode_allow, or set the sidecar's profile to match")
	}
	if c.GetForwardRules() != nil {
		x.add("forward-rules", Loses, p.where, "forward_rules keeps headers from the sidecar: they are not recorded", "remove forward_rules")
	}
	if c.GetObservabilityMode() {
		return
	}
	x.waits(p)
	if !c.GetAllowModeOverride() {
		x.add("no-mode-override", Holds, p.where, "without allow_mode_override streams are held until they end", "set allow_mode_override")
	}
	if !c.GetMutationRules().GetDisallowIsError().GetValue() {
		x.add("mutations-unchecked", Alters, p.where, "a refused change of a header is no error: a request may pass without the clock and seed that are recorded for it",
			"set mutation_rules.disallow_is_error")
	}
}

// attributes looks at what Envoy tells besides the message itself.
func (x *examination) attributes(p *processor) {
	at, profile := filter.Downstream, filter.Strict
	if p.upstream {
		at = filter.Upstream
	}
	if p.config.GetObservabilityMode() {
		profile = filter.Observe
	}
	for _, wanted := range []struct {
		field     string
		has, want []string
	}{
		{"request_attributes", p.config.GetRequestAttributes(), filter.RequestAttributesOf(at, profile)},
		{"response_attributes", p.config.GetResponseAttributes(), filter.ResponseAttributes},
	} {
		missing := slices.DeleteFunc(slices.Clone(wanted.want), func(a string) bool { return slices.Contains(wanted.has, a) })
		if len(missing) > 0 {
			x.add("attributes-missing", Doubts, p.where, fmt.Sprintf("%s lacks %s: who sent a request, who answered it and at which attempt is not recorded as it was", wanted.field, strings.Join(missing, ", ")),
				"set "+wanted.field+" as `verbatim config envoy` prints it")
		}
	}
}

// modes looks at what the sidecar gets to see.
func (x *examination) modes(p *processor) {
	m := p.config.GetProcessingMode()
	for _, h := range []struct {
		mode extprocv3.ProcessingMode_HeaderSendMode
		skip bool // what the default means
		name string
		code string
		what string
	}{
		{m.GetRequestHeaderMode(), false, "request_header_mode", "headers-not-sent", "request headers are"},
		{m.GetResponseHeaderMode(), false, "response_header_mode", "headers-not-sent", "response headers are"},
		{m.GetRequestTrailerMode(), true, "request_trailer_mode", "trailers-not-sent", "request trailers are"},
		{m.GetResponseTrailerMode(), true, "response_trailer_mode", "trailers-not-sent", "response trailers, with a gRPC call's status, are"},
	} {
		sent := h.mode == extprocv3.ProcessingMode_SEND || h.mode == extprocv3.ProcessingMode_DEFAULT && !h.skip
		if !sent {
			x.add(h.code, Loses, p.where, fmt.Sprintf("%s is %v: %s not recorded", h.name, h.mode, h.what), "set it to SEND")
		}
	}
	want := extprocv3.ProcessingMode_BUFFERED
	if p.config.GetObservabilityMode() {
		want = extprocv3.ProcessingMode_STREAMED
	}
	for _, b := range []struct {
		mode extprocv3.ProcessingMode_BodySendMode
		name string
	}{{m.GetRequestBodyMode(), "request_body_mode"}, {m.GetResponseBodyMode(), "response_body_mode"}} {
		switch {
		case b.mode == want:
		case b.mode == extprocv3.ProcessingMode_NONE:
			x.add("body-not-sent", Loses, p.where, b.name+" is NONE: bodies are not recorded", "set it to "+want.String())
		case p.config.GetObservabilityMode():
			x.add("body-not-sent", Loses, p.where, fmt.Sprintf("%s is %v: an observing filter sends bodies in mode STREAMED alone", b.name, b.mode), "set it to STREAMED")
		default:
			x.add("body-mode", Alters, p.where, fmt.Sprintf("%s is %v: Envoy takes content-length away, and headers go on before the body is recorded", b.name, b.mode), "set it to BUFFERED")
		}
	}
}

// waits looks at how long Envoy waits for the sidecar.
func (x *examination) waits(p *processor) {
	timeout := defaultMessageTimeout
	if t := p.config.GetMessageTimeout(); t != nil {
		timeout = t.AsDuration()
	}
	if timeout <= x.settings.MessageBound {
		x.add("message-timeout", Holds, p.where,
			fmt.Sprintf("message_timeout is %v, and the sidecar may take %v: a request that waits for its turn fails", timeout, x.settings.MessageBound),
			fmt.Sprintf("set it above %v", x.settings.MessageBound))
	}
	if t := p.config.GetGrpcService().GetTimeout().AsDuration(); t > 0 {
		x.add("stream-timeout", Holds, p.where, fmt.Sprintf("grpc_service.timeout ends each exchange with the sidecar after %v", t), "remove it: message_timeout bounds each wait")
	}
}

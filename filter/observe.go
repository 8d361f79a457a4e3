package filter

import (
	"time"

	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	headerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The headers that Envoy sets in profile Observe unless others are configured.
const (
	DefaultClockHeader = "x-verbatim-clock-ms"
	DefaultSeedHeader  = "x-verbatim-seed"
)

// InputsName is the filter that sets the clock and the seed in profile Observe.
const InputsName = "verbatim.inputs"

// What Envoy puts into them: when it got the request, in milliseconds, and a random
// UUID from its secure generator. Envoy has no formatter for a random number.
const (
	observedClock = "%START_TIME(%s%3f)%"
	observedSeed  = "%UNIQUE_ID%"
)

// DeferredClose is how long Envoy keeps what the sidecar has not read of an
// exchange that is over. Behind it, what was not read is lost.
const DeferredClose = 5 * time.Second

// never is the longest message timeout that Envoy takes: it starts that timer for
// trailers even where it waits for no reply.
const never = time.Hour

// observe makes the filter one that shows everything and waits for nothing.
func observe(p *extprocv3.ExternalProcessor) {
	p.ObservabilityMode = true
	p.DeferredCloseTimeout = durationpb.New(DeferredClose)
	p.ProcessingMode.RequestBodyMode = extprocv3.ProcessingMode_STREAMED
	p.ProcessingMode.ResponseBodyMode = extprocv3.ProcessingMode_STREAMED
	p.MessageTimeout, p.MaxMessageTimeout = durationpb.New(never), nil
	p.MutationRules = nil
}

// inputs returns the filter that sets clock and seed, last in the list and once
// each. A client's own are removed. It belongs right before the capture.
func (c Capture) inputs() (*hcmv3.HttpFilter, error) {
	config, err := pack(&headerv3.HeaderMutation{Mutations: &headerv3.Mutations{RequestMutations: []*mutationv3.HeaderMutation{
		removal(c.ClockHeader), removal(c.SeedHeader),
		addition(c.ClockHeader, observedClock), addition(c.SeedHeader, observedSeed),
	}}})
	if err != nil {
		return nil, err
	}
	return &hcmv3.HttpFilter{Name: InputsName, ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: config}}, nil
}

func removal(name string) *mutationv3.HeaderMutation {
	return &mutationv3.HeaderMutation{Action: &mutationv3.HeaderMutation_Remove{Remove: name}}
}

func addition(name, value string) *mutationv3.HeaderMutation {
	return &mutationv3.HeaderMutation{Action: &mutationv3.HeaderMutation_Append{Append: &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: name, Value: value},
		AppendAction: corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD,
	}}}
}

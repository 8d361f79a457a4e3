package filter

import (
	"fmt"
	"math"
	"slices"
	"time"

	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	// Name is the filter's name in a connection manager. It is not the stock
	// name envoy.filters.http.ext_proc: a route that disables that one for
	// another product's sake would switch the capture off in silence.
	Name = "verbatim.capture"
	// StatPrefix sets the filter's counters apart from those of other ext_proc
	// filters.
	StatPrefix = "capture"
	// CounterPrefix begins the names of the filter's counters in a bootstrap of
	// this package. Those that tell of a loss are failure_mode_allowed,
	// streams_failed and message_timeouts.
	CounterPrefix = "http." + HCMStatPrefix + ".ext_proc." + StatPrefix + "."
)

const (
	// DefaultMessageTimeout bounds one wait for the sidecar. It covers the wait
	// for a turn and for the disk; Envoy's own default of 200 ms does not.
	DefaultMessageTimeout = 30 * time.Second
	// DefaultMaxBytesInFlight is how many octets of bodies the sidecar lets be in
	// flight at one time.
	DefaultMaxBytesInFlight = 256 << 20
	// DefaultMaxEventBytes is the largest body, in octets, that is recorded.
	DefaultMaxEventBytes = 16 << 20
)

// requestAttributes are the attributes that arrive with request headers. Those
// of the connection's certificate are absent without TLS.
// See Envoy's "Attributes" page.
var requestAttributes = []string{
	"source.address",
	"destination.address",
	"request.protocol",
	"connection.uri_san_peer_certificate",
	"connection.subject_peer_certificate",
}

// ResponseAttributes are the attributes that arrive with response headers.
// response.code_details is "via_upstream" for an answer of the pipeline; an
// answer that Envoy made itself has other details.
var ResponseAttributes = []string{
	"response.code_details",
	"response.flags",
	"upstream.address",
	attemptCount,
}

// attemptCount is how many attempts Envoy has made, this one included. Behind the
// router it is asked for with the request, too: the router keeps the header list, so
// that a retry brings what the capture set at the attempt before.
const attemptCount = "upstream.request_attempt_count"

// RequestAttributesOf are the attributes that have to arrive with request headers in a
// place and a profile. The slice is the caller's.
func RequestAttributesOf(at Position, profile Profile) []string {
	list := slices.Clone(requestAttributes)
	if at == Upstream {
		list = append(list, attemptCount)
	}
	if profile == Observe {
		list = append(list, "request.time")
	}
	return list
}

// Capture describes the recording of one Envoy's exchanges by one sidecar.
type Capture struct {
	// Sidecar is the absolute path of the sidecar's Unix socket.
	Sidecar string
	// Profile says what becomes of traffic that the sidecar doesn't take. With
	// Strict it is answered with 503 and never reaches the pipeline.
	Profile Profile
	// Position is where the filter stands.
	Position Position
	// ClockHeader and SeedHeader are what Envoy itself sets with Observe; empty
	// means the defaults. Otherwise the sidecar sets them.
	ClockHeader, SeedHeader string
	// MessageTimeout bounds each wait for the sidecar; 0 means
	// DefaultMessageTimeout. It must exceed the sidecar's own bounds for the
	// wait for a turn and for the disk, so that the sidecar answers first.
	MessageTimeout time.Duration
	// MaxEventBytes is the largest body in octets, of a request or a response,
	// that is recorded; 0 means DefaultMaxEventBytes. What says that it is larger
	// the sidecar refuses. Envoy itself refuses what turns out to be: a request
	// with 413, a response with 500.
	MaxEventBytes uint32
	// MaxBytesInFlight is the sidecar's setting of that name, in octets; 0 means
	// DefaultMaxBytesInFlight. A bootstrap bounds Envoy's heap by it.
	MaxBytesInFlight uint64
}

// HTTPFilters returns the ext_proc filter and what has to stand right before it.
// They belong last before the router, and the router needs
// suppress_envoy_headers: then the header list that the sidecar sees is the one
// that the pipeline gets.
func (c Capture) HTTPFilters() ([]*hcmv3.HttpFilter, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	config, err := pack(c.processor())
	if err != nil {
		return nil, err
	}
	capture := &hcmv3.HttpFilter{
		Name:       Name,
		ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: config},
	}
	if c.Profile != Observe {
		return []*hcmv3.HttpFilter{capture}, nil
	}
	inputs, err := c.inputs()
	if err != nil {
		return nil, err
	}
	return []*hcmv3.HttpFilter{inputs, capture}, nil
}

// complete checks the settings and fills in the defaults.
func (c Capture) complete() (Capture, error) {
	if err := checkSocketPath(c.Sidecar); err != nil {
		return c, err
	}
	if c.MessageTimeout < 0 {
		return c, fmt.Errorf("message timeout %v is negative: give a positive duration", c.MessageTimeout)
	}
	if c.MaxEventBytes > math.MaxInt32 {
		return c, fmt.Errorf("maximum event size %d is above %d bytes, the largest HTTP/2 window", c.MaxEventBytes, math.MaxInt32)
	}
	if c.ClockHeader == "" {
		c.ClockHeader = DefaultClockHeader
	}
	if c.SeedHeader == "" {
		c.SeedHeader = DefaultSeedHeader
	}
	if c.MessageTimeout == 0 {
		c.MessageTimeout = DefaultMessageTimeout
	}
	if c.MaxEventBytes == 0 {
		c.MaxEventBytes = DefaultMaxEventBytes
	}
	return c, nil
}

func (c Capture) processor() *extprocv3.ExternalProcessor {
	p := &extprocv3.ExternalProcessor{
		// The stream has no deadline of its own: message_timeout bounds each wait.
		GrpcService: &corev3.GrpcService{TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{
			EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: SidecarCluster},
		}},
		FailureModeAllow:   c.Profile != Strict,
		StatusOnError:      &typev3.HttpStatus{Code: typev3.StatusCode_ServiceUnavailable},
		ProcessingMode:     wholeExchange(),
		AllowModeOverride:  true,
		ResponseAttributes: ResponseAttributes,
		MessageTimeout:     durationpb.New(c.MessageTimeout),
		MaxMessageTimeout:  durationpb.New(c.MessageTimeout),
		StatPrefix:         StatPrefix,
		MutationRules:      headersOnly(),
		RouteCacheAction:   extprocv3.ExternalProcessor_RETAIN,
	}
	if c.Profile == Observe {
		observe(p)
	}
	p.RequestAttributes = RequestAttributesOf(c.Position, c.Profile)
	return p
}

// wholeExchange asks for everything. With BUFFERED configured Envoy keeps
// content-length, also of a stream, for which the sidecar asks for STREAMED in
// its reply to the headers.
func wholeExchange() *extprocv3.ProcessingMode {
	return &extprocv3.ProcessingMode{
		RequestHeaderMode:   extprocv3.ProcessingMode_SEND,
		RequestBodyMode:     extprocv3.ProcessingMode_BUFFERED,
		RequestTrailerMode:  extprocv3.ProcessingMode_SEND,
		ResponseHeaderMode:  extprocv3.ProcessingMode_SEND,
		ResponseBodyMode:    extprocv3.ProcessingMode_BUFFERED,
		ResponseTrailerMode: extprocv3.ProcessingMode_SEND,
	}
}

// headersOnly lets the sidecar set its clock and seed headers, under whatever
// names are configured, and nothing that Envoy routes by. A refused change is
// an error: a request must not pass without the headers that were recorded.
func headersOnly() *mutationv3.HeaderMutationRules {
	return &mutationv3.HeaderMutationRules{
		DisallowSystem:  wrapperspb.Bool(true),
		DisallowIsError: wrapperspb.Bool(true),
	}
}

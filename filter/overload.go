package filter

import (
	"fmt"
	"math/bits"
	"time"

	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	fixedheapv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	heapMonitor = "envoy.resource_monitors.fixed_heap"

	// heapBase is what Envoy takes without any body: its code's data, connections,
	// and header lists.
	heapBase = 128 << 20
	// copiesOfABody is how often a body that is seen whole is in Envoy at one time:
	// in the filter's buffer, in the message to the sidecar, and for a moment in
	// that message's encoding. Measured, it is a little more than two.
	copiesOfABody = 3

	// heapRefresh is how often Envoy looks at its heap, where its main thread gets a
	// core. In that time a fast network brings some tens of MiB.
	heapRefresh = 25 * time.Millisecond

	// memoryClasses is how many sizes of streams Envoy tells apart, each twice the
	// one before; it is fixed there.
	memoryClasses = 8
	// minAccountBits is the least that Envoy takes as the smallest size's logarithm.
	minAccountBits = 10
)

// overload is the last bound of Envoy's heap; the first is the sidecar, which
// refuses what doesn't fit, also while it comes. What a fast network brings before
// that is stopped here, and what streams bring, which take no room there: the largest
// streams are reset first, which Envoy can do to those of HTTP/2 alone, then nothing
// new is taken, then connections of HTTP/1.1 that send something are closed.
func (b Bootstrap) overload() (*overloadv3.OverloadManager, error) {
	heap, err := anypb.New(&fixedheapv3.FixedHeapConfig{MaxHeapSizeBytes: b.Capture.maxHeapBytes()})
	if err != nil {
		return nil, fmt.Errorf("wrap heap monitor: %w", err)
	}
	// A stream that holds max_event_bytes is of the largest size, so that it is
	// the first to go at the least pressure.
	smallest := max(bits.Len32(b.maxEventBytes())-memoryClasses, minAccountBits)
	return &overloadv3.OverloadManager{
		RefreshInterval: durationpb.New(heapRefresh),
		ResourceMonitors: []*overloadv3.ResourceMonitor{{
			Name:       heapMonitor,
			ConfigType: &overloadv3.ResourceMonitor_TypedConfig{TypedConfig: heap},
		}},
		BufferFactoryConfig: &overloadv3.BufferFactoryConfig{
			MinimumAccountToTrackPowerOfTwo: uint32(smallest), //nolint:gosec // a number of bits
		},
		Actions: []*overloadv3.OverloadAction{
			{Name: "envoy.overload_actions.shrink_heap", Triggers: []*overloadv3.Trigger{above(0.8)}},
			{Name: "envoy.overload_actions.reset_high_memory_stream", Triggers: []*overloadv3.Trigger{between(0.8, 1)}},
			{Name: "envoy.overload_actions.stop_accepting_requests", Triggers: []*overloadv3.Trigger{above(0.9)}},
		},
		LoadshedPoints: []*overloadv3.LoadShedPoint{
			{Name: "envoy.load_shed_points.http1_server_abort_dispatch", Triggers: []*overloadv3.Trigger{above(0.95)}},
		},
	}, nil
}

// maxHeapBytes is Envoy's bound: as many octets as the sidecar lets be in flight,
// with the copies that Envoy makes of them.
func (c *Capture) maxHeapBytes() uint64 {
	inFlight := c.MaxBytesInFlight
	if inFlight == 0 {
		inFlight = DefaultMaxBytesInFlight
	}
	return heapBase + copiesOfABody*inFlight
}

func above(pressure float64) *overloadv3.Trigger {
	return &overloadv3.Trigger{Name: heapMonitor, TriggerOneof: &overloadv3.Trigger_Threshold{
		Threshold: &overloadv3.ThresholdTrigger{Value: pressure},
	}}
}

func between(low, high float64) *overloadv3.Trigger {
	return &overloadv3.Trigger{Name: heapMonitor, TriggerOneof: &overloadv3.Trigger_Scaled{
		Scaled: &overloadv3.ScaledTrigger{ScalingThreshold: low, SaturationThreshold: high},
	}}
}

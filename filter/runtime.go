package filter

import (
	"fmt"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/types/known/structpb"
)

// withoutBackPressure keeps a sidecar that doesn't read from slowing clients down:
// Envoy reads no more from a client whose exchange has too much waiting there. The
// price is Envoy's memory, for as long as DeferredClose.
func withoutBackPressure() (*bootstrapv3.LayeredRuntime, error) {
	layer, err := structpb.NewStruct(map[string]any{"envoy.reloadable_features.grpc_side_stream_flow_control": false})
	if err != nil {
		return nil, fmt.Errorf("build runtime layer: %w", err)
	}
	return &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{{
		Name:           "verbatim",
		LayerSpecifier: &bootstrapv3.RuntimeLayer_StaticLayer{StaticLayer: layer},
	}}}, nil
}

package filter

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"sigs.k8s.io/yaml"
)

// YAML prints a message as Envoy reads it: field names as in the .proto file,
// keys sorted, fields at their default left out. The same message always gives
// the same bytes.
func YAML(m proto.Message) ([]byte, error) {
	js, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	out, err := yaml.JSONToYAML(js)
	if err != nil {
		return nil, fmt.Errorf("convert %s to YAML: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	return out, nil
}

// validated is a message that can check itself against its .proto's rules.
type validated interface {
	proto.Message
	ValidateAll() error
}

// pack validates a message and wraps it, since the validation of a message
// does not look into an Any.
func pack(m validated) (*anypb.Any, error) {
	name := m.ProtoReflect().Descriptor().FullName()
	if err := m.ValidateAll(); err != nil {
		return nil, fmt.Errorf("validate %s: %w", name, err)
	}
	out, err := anypb.New(m)
	if err != nil {
		return nil, fmt.Errorf("wrap %s: %w", name, err)
	}
	return out, nil
}

package sidecar

import (
	"fmt"
	"os"

	"verbatim/sidecar/config"
	"verbatim/sidecar/output"
)

// ReadIgnorePolicy makes the ignore policy of its settings. It reads the file of
// descriptors; errors name the setting.
func ReadIgnorePolicy(c config.Ignore) (output.IgnorePolicy, error) {
	rules := output.IgnoreRules{Headers: c.Headers, JSON: c.JSON}
	for _, f := range c.Protobuf {
		rules.Protobuf = append(rules.Protobuf, output.ProtobufRule(f))
	}
	if c.Descriptors != "" {
		b, err := os.ReadFile(c.Descriptors)
		if err != nil {
			return output.IgnorePolicy{}, fmt.Errorf("read ignore.descriptors: %w; name the file that buf build or protoc --descriptor_set_out wrote", err)
		}
		rules.Descriptors = b
	}
	p, err := rules.Compile()
	if err != nil {
		return output.IgnorePolicy{}, fmt.Errorf("ignore: %w", err)
	}
	return p, nil
}

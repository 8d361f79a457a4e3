package sidecar

import (
	"strings"
	"testing"

	"verbatim/sidecar/config"
)

func TestReadIgnorePolicy(t *testing.T) {
	const api = "output/testdata/api/meters.binpb"
	get := []config.ProtobufFields{{Path: "/meters.v1.Meters/Get", Fields: []string{"trace.id"}}}
	for _, c := range []struct {
		settings config.Ignore
		err      string
	}{
		{config.Ignore{Headers: []string{"Date"}, JSON: []string{"/at"}, Protobuf: get, Descriptors: api}, ""},
		{config.Ignore{JSON: []string{"at"}}, `ignore: not an ignore policy: "at" is not a JSON pointer`},
		{config.Ignore{Protobuf: get}, "need descriptors"},
		{config.Ignore{Protobuf: get, Descriptors: "/nowhere"}, "read ignore.descriptors: open /nowhere"},
		{config.Ignore{Protobuf: get, Descriptors: "ignoring_test.go"}, "no google.protobuf.FileDescriptorSet"},
		{config.Ignore{Protobuf: []config.ProtobufFields{{Path: "/meters.v1.Meters/Get", Fields: []string{"trace.at"}}}, Descriptors: api},
			`protobuf /meters.v1.Meters/Get: field "trace.at": meters.v1.Trace has no field "at"`},
	} {
		_, err := ReadIgnorePolicy(c.settings)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%+v: %v, want %q", c.settings, err, c.err)
		}
	}
}

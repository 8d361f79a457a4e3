package sidecar

import (
	"os"
	"path/filepath"
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

// TestTheDocumentedPolicyIsOne: the YAML of docs/ignore.md, beside its descriptors.
func TestTheDocumentedPolicyIsOne(t *testing.T) {
	page, err := os.ReadFile("../docs/ignore.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```yaml\n")
	example, _, found := strings.Cut(after, "```")
	if !found {
		t.Fatal("the page has no YAML")
	}
	file := filepath.Join(t.TempDir(), "ignore.yaml")
	if err := os.WriteFile(file, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	settings, err := config.LoadIgnore(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("output/testdata/api")
	p, err := ReadIgnorePolicy(settings)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(p.JSON()); !strings.Contains(text, `"fields":["cached","trace.id"]`) {
		t.Errorf("the policy is %s", text)
	}
}

package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIgnoreOfFileAndFlags(t *testing.T) {
	path := writeFile(t, `
log: /l
socket: /s
pipeline: {address: "h:1"}
ignore:
  json: [/a, /b/*]
  protobuf: [{path: /p.S/M, fields: [a.b, c]}]
  descriptors: /d
`)
	file := Ignore{
		Headers: []string{"date", "x-request-id"}, JSON: []string{"/a", "/b/*"},
		Protobuf: []ProtobufFields{{Path: "/p.S/M", Fields: []string{"a.b", "c"}}}, Descriptors: "/d",
	}
	flags := file
	flags.JSON, flags.Descriptors = []string{"/c,d", "/e"}, "/f"
	flags.Protobuf = []ProtobufFields{
		{Path: "/p.S/M", Fields: []string{"a"}}, {Message: "p.T", Fields: []string{"b", "c"}}, {Path: "/a=b,c", Message: "p.T", Fields: []string{"d"}},
	}
	for name, c := range map[string]struct {
		args []string
		want Ignore
	}{
		"file": {nil, file},
		"flags": {[]string{
			"--ignore.json=/c,d", "--ignore.json=/e", "--ignore.descriptors=/f",
			"--ignore.protobuf=/p.S/M=a", "--ignore.protobuf=p.T=b,c", "--ignore.protobuf=/a=b,c,p.T=d",
		}, flags},
	} {
		got, err := resolve(t, append([]string{"--config", path}, c.args...)...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(c.want, got.Ignore); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
	for _, bad := range []string{"", "a", "=a", "/p=", "="} {
		if _, err := resolve(t, "--config", path, "--ignore.protobuf="+bad); err == nil || !strings.Contains(err.Error(), "is not of the form") {
			t.Errorf("--ignore.protobuf=%s: %v", bad, err)
		}
	}
}

func TestLoadIgnore(t *testing.T) {
	for _, c := range []struct {
		text string
		want Ignore
		err  string
	}{
		{"", defaultIgnore(), ""},
		{"json: [/a]\n", Ignore{Headers: []string{"date", "x-request-id"}, JSON: []string{"/a"}, Protobuf: []ProtobufFields{}}, ""},
		{`{"headers": ["X-A"], "json": ["/a"]}`, Ignore{Headers: []string{"X-A"}, JSON: []string{"/a"}, Protobuf: []ProtobufFields{}}, ""},
		{"ignore:\n  headers: []\n", Ignore{}, `line 1: unknown key "ignore"`},
		{"json: /a\n", Ignore{}, `line 1: "json" must be a list`},
		{"protobuf: [{fields: a}]\n", Ignore{}, "must be a list"},
		{"json: []\n---\njson: []\n", Ignore{}, "more than one YAML document"},
	} {
		path := writeFile(t, c.text)
		got, err := LoadIgnore(path)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(err.Error(), path) {
				t.Errorf("%q: %v, want %q", c.text, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%q:\n%s", c.text, d)
		}
	}
	if _, err := LoadIgnore("/nowhere/at/all"); err == nil || !strings.Contains(err.Error(), "name a YAML file") {
		t.Errorf("no file: %v", err)
	}
}

package output_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"verbatim/sidecar/output"
)

// descriptors are those of testdata/api/meters.proto.
func descriptors(tb testing.TB) []byte {
	tb.Helper()
	b, err := os.ReadFile("testdata/api/meters.binpb")
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func compile(tb testing.TB, r output.IgnoreRules) output.IgnorePolicy {
	tb.Helper()
	p, err := r.Compile()
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// everyKind has rules of every kind, in no order, and some of them twice.
func everyKind(tb testing.TB) output.IgnoreRules {
	return output.IgnoreRules{
		Headers: []string{"X-B", "date"}, JSON: []string{"/b/*/at", "/a~1b", "/b/*/at", "/<>"},
		Protobuf: []output.ProtobufRule{
			{Path: "/v1/readings", Message: "meters.v1.Reading", Fields: []string{"trace.id"}},
			{Path: "/meters.v1.Meters/Get", Fields: []string{"6", "2.parent.id"}},
			{Message: "meters.v1.Reading", Fields: []string{"hops.value.payload"}},
			{Path: "/meters.v1.Meters/Get", Message: "meters.v1.Reading", Fields: []string{"cached", "old"}},
		},
		Descriptors: descriptors(tb),
	}
}

// The golden file pins the text, and so the digest, of a policy.
func TestGoldenPolicyText(t *testing.T) {
	p := compile(t, everyKind(t))
	const golden = "testdata/policy.golden"
	if *update {
		if err := os.WriteFile(golden, append(p.JSON(), '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(p.JSON())+"\n" != string(want) {
		t.Errorf("the text differs from %s:\n%s", golden, p.JSON())
	}
	back, err := output.ParseIgnorePolicy(p.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(back.JSON(), p.JSON()) || back.Policy().GetVersion() != 2 {
		t.Errorf("read back as version %d: %s", back.Policy().GetVersion(), back.JSON())
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	set := descriptors(t)
	protobuf := func(r output.ProtobufRule) output.IgnoreRules {
		return output.IgnoreRules{Protobuf: []output.ProtobufRule{r}, Descriptors: set}
	}
	get := func(fields ...string) output.IgnoreRules {
		return protobuf(output.ProtobufRule{Path: "/meters.v1.Meters/Get", Fields: fields})
	}
	for _, c := range []struct {
		rules output.IgnoreRules
		want  string
	}{
		{output.IgnoreRules{JSON: []string{""}}, "whole body"},
		{output.IgnoreRules{JSON: []string{"a"}}, "does not begin with /"},
		{output.IgnoreRules{JSON: []string{"/a~2"}}, "~ is written ~0"},
		{output.IgnoreRules{JSON: []string{"/a~"}}, "~ is written ~0"},
		{output.IgnoreRules{JSON: []string{"/\xff"}}, "not UTF-8"},
		{output.IgnoreRules{JSON: []string{strings.Repeat("/a", 65)}}, "more than 64 segments"},
		{output.IgnoreRules{JSON: make([]string, 1001)}, "more than 1000"},
		{output.IgnoreRules{Headers: []string{"a b"}, JSON: []string{"/a"}}, `"a b" is not a header name`},
		{output.IgnoreRules{Descriptors: set}, "no protobuf field"},
		{output.IgnoreRules{JSON: []string{"/a"}, Descriptors: set}, "no protobuf field"},
		{output.IgnoreRules{Protobuf: []output.ProtobufRule{{Path: "/a", Fields: []string{"b"}}}}, "none are given"},
		{output.IgnoreRules{Protobuf: []output.ProtobufRule{{}}, Descriptors: []byte("no")}, "no google.protobuf.FileDescriptorSet"},
		{output.IgnoreRules{Protobuf: []output.ProtobufRule{{}}, Descriptors: make([]byte, 256<<10+1)}, "262145 octets"},
		{output.IgnoreRules{Protobuf: []output.ProtobufRule{{}}, Descriptors: []byte("\n\x06\n\x01a\x1a\x01b")}, "imports belong to them"},
		{protobuf(output.ProtobufRule{Fields: []string{"kwh"}}), "say the message"},
		{protobuf(output.ProtobufRule{Path: "/v1/readings", Fields: []string{"kwh"}}), "say the message"},
		{protobuf(output.ProtobufRule{Path: "v1", Message: "meters.v1.Reading", Fields: []string{"kwh"}}), "begins with /"},
		{protobuf(output.ProtobufRule{Path: "/v1?a=b", Message: "meters.v1.Reading", Fields: []string{"kwh"}}), "no query"},
		{protobuf(output.ProtobufRule{Path: "/v1", Message: "meters.v1.Nothing", Fields: []string{"kwh"}}), `no message "meters.v1.Nothing"`},
		{protobuf(output.ProtobufRule{Path: "/v1", Message: "meters.v1.Meters", Fields: []string{"kwh"}}), `no message "meters.v1.Meters"`},
		{protobuf(output.ProtobufRule{Message: "meters.v1.Trace", Fields: []string{"id"}}), "no method of the descriptors answers with it"},
		{protobuf(output.ProtobufRule{Path: "/meters.v1.Meters/Get", Message: "meters.v1.Trace", Fields: []string{"id"}}), "answers with meters.v1.Reading"},
		{get(), "no fields are named"},
		{get("kw"), `meters.v1.Reading has no field "kw"`},
		{get("9"), `meters.v1.Reading has no field "9"`},
		{get(""), `meters.v1.Reading has no field ""`},
		{get("trace..id"), `meters.v1.Trace has no field ""`},
		{get("kwh.a"), "kwh has no fields"},
		{get("old.id"), "old is a group"},
		{get(strings.Repeat("trace.", 64) + "id"), "more than 64 segments"},
		{output.IgnoreRules{Descriptors: set, Protobuf: []output.ProtobufRule{
			{Path: "/v1", Message: "meters.v1.Reading", Fields: []string{"kwh"}}, {Path: "/v1", Message: "meters.v1.Trace", Fields: []string{"id"}},
		}}, "can't be both meters.v1.Reading and meters.v1.Trace"},
	} {
		_, err := c.rules.Compile()
		if !errors.Is(err, output.ErrIgnorePolicy) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Compile = %v, want %q", err, c.want)
		}
	}
}

func FuzzParseIgnorePolicy(f *testing.F) {
	f.Add(output.DefaultIgnorePolicy().JSON())
	f.Add(compile(f, everyKind(f)).JSON())
	f.Add(compile(f, output.IgnoreRules{JSON: []string{"/a", "/b/*"}}).JSON())
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := output.ParseIgnorePolicy(text)
		if err != nil {
			return
		}
		again, err := output.ParseIgnorePolicy(p.JSON())
		if err != nil {
			t.Fatalf("%s is read, but not written again: %v", text, err)
		}
		if !bytes.Equal(again.JSON(), text) {
			t.Errorf("%s is written again as %s", text, again.JSON())
		}
	})
}

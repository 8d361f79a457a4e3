package output_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"verbatim/sidecar/output"
)

// readingType is meters.v1.Reading.
func readingType(tb testing.TB) protoreflect.MessageDescriptor {
	tb.Helper()
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(descriptors(tb), &set); err != nil {
		tb.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		tb.Fatal(err)
	}
	d, err := files.FindDescriptorByName("meters.v1.Reading")
	if err != nil {
		tb.Fatal(err)
	}
	return d.(protoreflect.MessageDescriptor)
}

// reading is a serialized Reading, given as text.
func reading(tb testing.TB, text string) []byte {
	tb.Helper()
	m := dynamicpb.NewMessage(readingType(tb))
	if err := prototext.Unmarshal([]byte(text), m); err != nil {
		tb.Fatal(err)
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

const (
	httpPath = "/v1/readings"
	grpcPath = "/meters.v1.Meters/Get"
)

// protobufPolicy ignores fields of Readings over HTTP and gRPC.
func protobufPolicy(tb testing.TB, fields ...string) output.IgnorePolicy {
	return compile(tb, output.IgnoreRules{
		Protobuf: []output.ProtobufRule{
			{Path: httpPath, Message: "meters.v1.Reading", Fields: fields}, {Message: "meters.v1.Reading", Fields: fields},
		},
		Descriptors: descriptors(tb),
	})
}

func overHTTP(body []byte) output.Message {
	return output.Message{
		Path: httpPath + "?meter=1", Status: 200, Body: body,
		Headers: list("content-type:application/x-protobuf", "content-length:"+strings.Repeat("1", len(body)%7+1)),
	}
}

func overGRPC(frames ...[]byte) output.Message {
	m := output.Message{Path: grpcPath, Status: 200, Headers: list("content-type:application/grpc"), Trailers: list("grpc-status:0")}
	for _, f := range frames {
		m.Body = append(m.Body, frame(0, f)...)
	}
	return m
}

func frame(flag byte, message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(message))), message...)
}

// TestIgnoredProtobuf: messages are the same output if and only if they are the same
// but for what is ignored, whatever its length and whether it is there. What is left is
// the message without it.
func TestIgnoredProtobuf(t *testing.T) {
	long := strings.Repeat("x", 20000)
	for name, c := range map[string]struct {
		fields    []string
		same      []string // the first is what is left
		different []string
		untouched bool // in same[0] nothing is ignored
	}{
		"a string": {
			fields:    []string{"meter_id"},
			same:      []string{`kwh:1.5`, `kwh:1.5 meter_id:"a"`, `meter_id:"` + long + `" kwh:1.5`},
			different: []string{`kwh:1.6`, `kwh:1.5 cached:true`, `trace{id:"a"} kwh:1.5`},
		},
		"a bool that is false in one, and so is not there": {
			fields:    []string{"cached"},
			same:      []string{`meter_id:"m"`, `meter_id:"m" cached:true`},
			different: []string{`meter_id:"n" cached:true`, `meter_id:"m" kwh:1`},
		},
		"in a message, whose length has fewer octets then": {
			fields:    []string{"trace.payload"},
			same:      []string{`trace{id:"t"} kwh:1`, `trace{id:"t" payload:"a"} kwh:1`, `trace{id:"t" payload:"` + long + `"} kwh:1`},
			different: []string{`trace{id:"u"} kwh:1`, `trace{id:"t"}`, `kwh:1`, `trace{id:"t" parent{}} kwh:1`},
		},
		"all that a message holds": {
			fields:    []string{"trace.id"},
			same:      []string{`trace{}`, `trace{id:"t"}`},
			different: []string{``, `trace{parent{}}`},
		},
		"a message whole": {
			fields:    []string{"trace", "trace.id"},
			same:      []string{`kwh:1`, `kwh:1 trace{}`, `kwh:1 trace{id:"t" parent{id:"u"}}`},
			different: []string{`kwh:2`},
		},
		"several levels": {
			fields:    []string{"trace.parent.parent.id", "trace.id"},
			same:      []string{`trace{parent{id:"p" parent{payload:"x"}}}`, `trace{id:"` + long + `" parent{id:"p" parent{id:"` + long + `" payload:"x"}}}`},
			different: []string{`trace{parent{id:"q" parent{payload:"x"}}}`, `trace{parent{id:"p"}}`, `trace{parent{id:"p" parent{payload:"x" parent{}}}}`},
		},
		"in every element": {
			fields:    []string{"samples.at_ms"},
			same:      []string{`samples{value:1} samples{} samples{value:2}`, `samples{value:1 at_ms:1} samples{at_ms:99999} samples{value:2}`},
			different: []string{`samples{value:1} samples{value:2}`, `samples{value:2} samples{} samples{value:1}`},
		},
		"a list whole": {
			fields:    []string{"took_us"},
			same:      []string{`kwh:1`, `kwh:1 took_us:[1,2,3]`, `kwh:1 took_us:[999999]`},
			different: []string{`kwh:2 took_us:[1,2,3]`},
		},
		"in a map": {
			fields:    []string{"hops.value.id"},
			same:      []string{`hops{key:"a" value{payload:"p"}}`, `hops{key:"a" value{id:"i" payload:"p"}}`},
			different: []string{`hops{key:"b" value{payload:"p"}}`, `hops{key:"a" value{payload:"q"}}`},
		},
		"a group": {
			fields:    []string{"old", "2.1"},
			same:      []string{`trace{} kwh:1`, `trace{id:"x"} kwh:1 old{id:"a" parent{id:"b"}}`},
			different: []string{`trace{id:"x"} kwh:2 old{id:"a"}`},
		},
		"nothing that is there": {
			fields: []string{"trace.parent.id"}, same: []string{`trace{id:"t"} kwh:1`}, different: []string{`trace{id:"u"} kwh:1`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := protobufPolicy(t, c.fields...)
			for what, message := range map[string]func([]byte) output.Message{
				"HTTP": overHTTP, "gRPC": func(b []byte) output.Message { return overGRPC([]byte{}, b, b) },
			} {
				left := message(reading(t, c.same[0])).Body
				o, want := canonical(t, message(reading(t, c.same[0])), p)
				if !bytes.Equal(o.GetBody(), left) {
					t.Errorf("%s: %q is left as %x, want %x", what, c.same[0], o.GetBody(), left)
				}
				for _, text := range c.same[1:] {
					if _, got := canonical(t, message(reading(t, text)), p); got.Hash != want.Hash {
						t.Errorf("%s: %q is another output than %q", what, text, c.same[0])
					}
				}
				for _, text := range c.different {
					if _, got := canonical(t, message(reading(t, text)), p); got.Hash == want.Hash {
						t.Errorf("%s: %q is the same output as %q", what, text, c.same[0])
					}
				}
			}
		})
	}
}

// TestProtobufThatStaysWhole: what is not looked into, or is no message.
func TestProtobufThatStaysWhole(t *testing.T) {
	body := reading(t, `meter_id:"m" trace{id:"t"}`)
	with := func(m output.Message, change func(*output.Message)) output.Message {
		change(&m)
		return m
	}
	for name, m := range map[string]output.Message{
		"another path":           with(overHTTP(body), func(m *output.Message) { m.Path = "/v1/other" }),
		"another method":         with(overGRPC(body), func(m *output.Message) { m.Path = "/meters.v1.Meters/Put" }),
		"another kind":           with(overHTTP(body), func(m *output.Message) { m.Headers = list("content-type:application/octet-stream") }),
		"compressed as a whole":  with(overHTTP(body), func(m *output.Message) { m.Headers = append(m.Headers, list("content-encoding:gzip")...) }),
		"cut off":                overHTTP(body[:len(body)-1]),
		"a message in it no one": overHTTP(slices.Concat(protowire.AppendTag(nil, 2, protowire.BytesType), []byte{1, 0xff})),
		"an end without a begin": overHTTP(append(slices.Clone(body), 0x0c)),
		"a compressed frame":     with(overGRPC(), func(m *output.Message) { m.Body = frame(1, body) }),
		"half a frame":           with(overGRPC(body), func(m *output.Message) { m.Body = m.Body[:len(m.Body)-1] }),
		"half a frame's head":    with(overGRPC(body), func(m *output.Message) { m.Body = append(m.Body, 0, 0, 0) }),
	} {
		t.Run(name, func(t *testing.T) {
			o, c := canonical(t, m, protobufPolicy(t, "meter_id", "trace.id"))
			if !bytes.Equal(o.GetBody(), m.Body) {
				t.Errorf("became %x with %v", o.GetBody(), c.Spans)
			}
		})
	}
}

// TestAMethodOfManyAnswers: a rule for a type holds for every method that answers with it.
func TestAMethodOfManyAnswers(t *testing.T) {
	p := protobufPolicy(t, "meter_id")
	m := overGRPC(reading(t, `meter_id:"a" kwh:1`), reading(t, `kwh:2 meter_id:"bc"`))
	m.Path = "/meters.v1.Meters/Watch"
	o, _ := canonical(t, m, p)
	if want := overGRPC(reading(t, `kwh:1`), reading(t, `kwh:2`)).Body; !bytes.Equal(o.GetBody(), want) {
		t.Errorf("became %x, want %x", o.GetBody(), want)
	}
}

// TestOddProtobuf: encodings that no library writes, and every one must read.
func TestOddProtobuf(t *testing.T) {
	p := protobufPolicy(t, "meter_id", "trace.id", "took_us")
	trace := protowire.AppendTag(nil, 2, protowire.BytesType)
	id, payload := []byte{0x0a, 1, 't'}, []byte{0x12, 1, 'p'}
	for name, c := range map[string]struct{ body, want []byte }{
		"a field of another wire type": {[]byte{0x08, 1}, []byte{0x08, 1}},
		"a list of numbers, two ways":  {[]byte{0x38, 1, 0x3a, 2, 1, 1, 0x30, 1}, []byte{0x30, 1}},
		"a message that is a number":   {[]byte{0x10, 1}, []byte{0x10, 1}},
		"a long length":                {slices.Concat(trace, []byte{0x86, 0x80, 0x00}, id, payload), slices.Concat(trace, []byte{3}, payload)},
		"a long length, nothing in it": {slices.Concat(trace, []byte{0x83, 0x80, 0x00}, payload), slices.Concat(trace, []byte{0x83, 0x80, 0x00}, payload)},
		"a message in two pieces":      {slices.Concat(trace, []byte{3}, id, trace, []byte{6}, payload, id), slices.Concat(trace, []byte{0}, trace, []byte{3}, payload)},
		"an unknown field":             {slices.Concat([]byte{0xa2, 0x06, 1, 'u'}, id), []byte{0xa2, 0x06, 1, 'u'}},
	} {
		o, _ := canonical(t, overHTTP(c.body), p)
		if !bytes.Equal(o.GetBody(), c.want) {
			t.Errorf("%s: became %x, want %x", name, o.GetBody(), c.want)
		}
	}
}

// FuzzIgnoredProtobuf holds what is left against a message whose fields were cleared.
func FuzzIgnoredProtobuf(f *testing.F) {
	kind := readingType(f)
	p := protobufPolicy(f, "meter_id", "trace.parent.id", "samples.at_ms", "hops.value.payload", "old", "took_us")
	f.Add(true, reading(f, `meter_id:"a" kwh:1 trace{id:"t" parent{id:"u" payload:"p"}} samples{at_ms:1} samples{value:2}`))
	f.Add(false, overGRPC(reading(f, `hops{key:"k" value{payload:"p"}} old{id:"o"} took_us:[1,2]`)).Body)
	f.Add(false, frame(1, []byte("x")))
	f.Fuzz(func(t *testing.T, http bool, body []byte) {
		if !http {
			m := overGRPC()
			m.Body = body
			canonical(t, m, p)
			return
		}
		o, _ := canonical(t, overHTTP(body), p)
		before, after := dynamicpb.NewMessage(kind), dynamicpb.NewMessage(kind)
		if proto.Unmarshal(body, before) != nil {
			return
		}
		if err := proto.Unmarshal(o.GetBody(), after); err != nil {
			t.Fatalf("%x became %x, which is no message: %v", body, o.GetBody(), err)
		}
		clearIgnored(before)
		if !proto.Equal(before, after) {
			t.Errorf("%x became %x: %v, want %v", body, o.GetBody(), after, before)
		}
	})
}

// clearIgnored clears the fields of FuzzIgnoredProtobuf's policy.
func clearIgnored(m protoreflect.Message) {
	field := func(m protoreflect.Message, name protoreflect.Name) protoreflect.FieldDescriptor {
		return m.Descriptor().Fields().ByName(name)
	}
	for _, name := range []protoreflect.Name{"meter_id", "old", "took_us"} {
		m.Clear(field(m, name))
	}
	if trace := m.Get(field(m, "trace")).Message(); m.Has(field(m, "trace")) && trace.Has(field(trace, "parent")) {
		parent := trace.Get(field(trace, "parent")).Message()
		parent.Clear(field(parent, "id"))
	}
	samples := m.Get(field(m, "samples")).List()
	for i := range samples.Len() {
		s := samples.Get(i).Message()
		s.Clear(field(s, "at_ms"))
	}
	m.Get(field(m, "hops")).Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
		v.Message().Clear(field(v.Message(), "payload"))
		return true
	})
}

package main

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

	logv1 "verbatim/proto/verbatim/log/v1"
	"verbatim/sidecar/output"
)

// eventJSON renders an event for people and programs: text as text, digests in
// hexadecimal, an output decoded, other octets as {"base64": ...}. It is a view;
// the evidence is raw_event_bytes.
func eventJSON(ev *logv1.Event) map[string]any { return messageJSON(ev.ProtoReflect()) }

func messageJSON(m protoreflect.Message) map[string]any {
	out := map[string]any{}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		out[f.TextName()] = fieldJSON(f, v)
		return true
	})
	return out
}

func fieldJSON(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	if f.IsList() {
		list := make([]any, v.List().Len())
		for i := range list {
			list[i] = valueJSON(f, v.List().Get(i))
		}
		return list
	}
	return valueJSON(f, v)
}

func valueJSON(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch f.Kind() {
	case protoreflect.MessageKind:
		return messageJSON(v.Message())
	case protoreflect.EnumKind:
		return enumJSON(f.Enum(), v.Enum())
	case protoreflect.BytesKind:
		return bytesJSON(string(f.Name()), v.Bytes())
	}
	return v.Interface()
}

// enumJSON is the value's name without its enum's prefix, in lower case.
func enumJSON(e protoreflect.EnumDescriptor, n protoreflect.EnumNumber) any {
	d := e.Values().ByNumber(n)
	if d == nil {
		return int32(n)
	}
	name := string(d.Name())
	unspecified := string(e.Values().Get(0).Name())
	return strings.ToLower(strings.TrimPrefix(name, strings.TrimSuffix(unspecified, "UNSPECIFIED")))
}

func bytesJSON(field string, b []byte) any {
	if field == "output" {
		if out, err := output.Decode(b); err == nil {
			return messageJSON(out.ProtoReflect())
		}
	}
	if field == "log_id" || strings.HasSuffix(field, "root") || strings.HasSuffix(field, "sha256") {
		return hex.EncodeToString(b)
	}
	if utf8.Valid(b) {
		return string(b)
	}
	return map[string]string{"base64": base64.StdEncoding.EncodeToString(b)}
}

package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	auditv1 "verbatim/proto/verbatim/audit/v1"
)

// fieldNames are the names that a struct has in JSON, in its order; those of a struct
// in it have the name of the field before them.
func fieldNames(of reflect.Type, before string) (names []string) {
	for i := range of.NumField() {
		f := of.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, before+name)
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			names = append(names, fieldNames(inner, before+name+".")...)
		}
	}
	return names
}

// TestTheFieldsOfJSONAreDocumented: all of them, by their names, in their order.
func TestTheFieldsOfJSONAreDocumented(t *testing.T) {
	got, want := documented(t, "For programs"), fieldNames(reflect.TypeFor[verdictJSON](), "")
	if !slices.Equal(got, want) {
		t.Errorf("docs/replay.md has the fields\n%s\n--json has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestJSONHasWhatTheAPIHas: under the names of the API's messages.
func TestJSONHasWhatTheAPIHas(t *testing.T) {
	for heading, c := range map[string]struct{ json, api reflect.Type }{
		"verdict":    {reflect.TypeFor[verdictJSON](), reflect.TypeFor[auditv1.AuditReplayResponse]()},
		"start":      {reflect.TypeFor[startJSON](), reflect.TypeFor[auditv1.StartInRange]()},
		"divergence": {reflect.TypeFor[divergenceJSON](), reflect.TypeFor[auditv1.Divergence]()},
	} {
		names := fieldNames(c.json, "")
		for i := range c.api.NumField() {
			name, _, _ := strings.Cut(c.api.Field(i).Tag.Get("json"), ",")
			if name != "" && !slices.Contains(names, name) {
				t.Errorf("--json does not have the field %s of the %s", name, heading)
			}
		}
	}
}

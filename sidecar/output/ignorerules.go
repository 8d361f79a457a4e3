package output

import (
	"fmt"
	"slices"

	"golang.org/x/net/http/httpguts"
)

// IgnoreRules are the rules of an ignore policy as people write them.
type IgnoreRules struct {
	// Headers are names of headers and trailers, in any case.
	Headers []string
	// JSON are JSON Pointers (RFC 6901) to values in JSON bodies. A segment "*" is
	// every element of an array and every member of an object.
	JSON []string
	// Protobuf are fields of protobuf bodies.
	Protobuf []ProtobufRule
	// Descriptors is a serialized google.protobuf.FileDescriptorSet with the imports
	// of its files; there is one if and only if there are Protobuf rules.
	Descriptors []byte
}

// ProtobufRule names fields of the bodies that answer some requests.
type ProtobufRule struct {
	// Path is the requests' path without a query, such as a gRPC method
	// "/shop.v1.Orders/Get". Empty: every method of the descriptors that answers
	// with Message.
	Path string `json:"path"`
	// Message is the full name of the body's type. It may be left out where Path is
	// a method of the descriptors.
	Message string `json:"message"`
	// Fields are paths of field names or numbers from Message on, such as
	// "header.request_id". A map has the fields key and value.
	Fields []string `json:"fields"`
}

// Compile makes the policy of the rules, the same for the same rules in any order and
// spelling. Errors say which rule is wrong and are ErrIgnorePolicy.
func (r IgnoreRules) Compile() (IgnorePolicy, error) {
	headers, err := canonicalNames(r.Headers)
	if err != nil {
		return IgnorePolicy{}, err
	}
	p := IgnorePolicy{Version: headersVersion, Headers: headers, rules: IgnoreRules{Headers: headers}}
	if len(r.JSON) == 0 && len(r.Protobuf) == 0 {
		if len(r.Descriptors) > 0 {
			return IgnorePolicy{}, fmt.Errorf("%w: descriptors are given, but no protobuf field", ErrIgnorePolicy)
		}
		return p, nil
	}
	p.Version, p.bodies = bodiesVersion, new(bodyRules)
	if p.rules.JSON, p.bodies.pointers, err = compilePointers(r.JSON); err != nil {
		return IgnorePolicy{}, err
	}
	if p.rules.Protobuf, p.bodies.messages, err = compileProtobuf(r.Protobuf, r.Descriptors); err != nil {
		return IgnorePolicy{}, err
	}
	p.rules.Descriptors = r.Descriptors
	return p, nil
}

func canonicalNames(headers []string) ([]string, error) {
	list := make([]string, 0, len(headers))
	for _, h := range headers {
		name := lower([]byte(h))
		if !httpguts.ValidHeaderFieldName(string(name)) {
			return nil, fmt.Errorf("%w: %q is not a header name", ErrIgnorePolicy, h)
		}
		list = append(list, string(name))
	}
	return sorted(list), nil
}

// sorted sorts list in place and leaves each text in it once.
func sorted(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

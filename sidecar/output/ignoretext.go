package output

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// headersText is the text of a policy that ignores headers alone.
type headersText struct {
	Version uint32   `json:"version"`
	Headers []string `json:"headers"`
}

// bodiesText is the text of any other. Descriptors are base64 in it.
type bodiesText struct {
	headersText
	JSON        []string       `json:"json"`
	Protobuf    []ProtobufRule `json:"protobuf"`
	Descriptors []byte         `json:"descriptors,omitempty"`
}

// ParseIgnorePolicy reads what JSON wrote, and nothing else: any other text of
// the same meaning is refused, so that one policy has one digest.
func ParseIgnorePolicy(text []byte) (IgnorePolicy, error) {
	var t bodiesText
	if err := json.Unmarshal(text, &t); err != nil {
		return IgnorePolicy{}, fmt.Errorf("%w: %w", ErrIgnorePolicy, err)
	}
	if t.Version != headersVersion && t.Version != bodiesVersion {
		return IgnorePolicy{}, fmt.Errorf("%w: version %d is unknown, this build knows %d and %d", ErrIgnorePolicy, t.Version, headersVersion, bodiesVersion)
	}
	p, err := IgnoreRules{Headers: t.Headers, JSON: t.JSON, Protobuf: t.Protobuf, Descriptors: t.Descriptors}.Compile()
	if err != nil {
		return IgnorePolicy{}, err
	}
	if !bytes.Equal(p.JSON(), text) {
		return IgnorePolicy{}, fmt.Errorf("%w: the text is not in canonical form, which is %s", ErrIgnorePolicy, p.JSON())
	}
	return p, nil
}

// JSON is the canonical text of the policy. What has one meaning has one text: the
// version is the lowest that can say it.
func (p IgnorePolicy) JSON() []byte {
	head := headersText{Version: p.Version, Headers: some(p.Headers)}
	if p.bodies == nil {
		return marshal(head)
	}
	return marshal(bodiesText{head, some(p.rules.JSON), some(p.rules.Protobuf), p.rules.Descriptors})
}

// some is list, never nil: an empty one is written as such.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func marshal(text any) []byte {
	b, err := json.Marshal(text)
	if err != nil {
		panic("marshal ignore policy: " + err.Error()) // numbers, strings and lists of them always marshal
	}
	return b
}

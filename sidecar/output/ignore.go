package output

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/net/http/httpguts"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// IgnorePolicyVersion is the version of the rules in this package.
const IgnorePolicyVersion = 1

// IgnorePolicy names the headers and trailers that are not output, because no
// replay can give them again: wall clock, ids, noise of the transport. The log
// keeps them beside the output.
type IgnorePolicy struct {
	Version uint32 `json:"version"`
	// Headers are names in lower case, sorted, each once.
	Headers []string `json:"headers"`
}

// ErrIgnorePolicy says that a text is not the canonical text of a policy.
var ErrIgnorePolicy = errors.New("not an ignore policy")

// DefaultIgnorePolicy ignores "date" and "x-request-id".
func DefaultIgnorePolicy() IgnorePolicy {
	return IgnorePolicy{Version: IgnorePolicyVersion, Headers: []string{"date", "x-request-id"}}
}

// NewIgnorePolicy is the policy of the current version that ignores headers,
// in any order and case.
func NewIgnorePolicy(headers []string) (IgnorePolicy, error) {
	list := make([]string, 0, len(headers))
	for _, h := range headers {
		name := lower([]byte(h))
		if !httpguts.ValidHeaderFieldName(string(name)) {
			return IgnorePolicy{}, fmt.Errorf("%w: %q is not a header name", ErrIgnorePolicy, h)
		}
		list = append(list, string(name))
	}
	slices.Sort(list)
	return IgnorePolicy{Version: IgnorePolicyVersion, Headers: slices.Compact(list)}, nil
}

// ParseIgnorePolicy reads what JSON wrote, and nothing else: any other text of
// the same meaning is refused, so that one policy has one digest.
func ParseIgnorePolicy(text []byte) (IgnorePolicy, error) {
	var p IgnorePolicy
	if err := json.Unmarshal(text, &p); err != nil {
		return IgnorePolicy{}, fmt.Errorf("%w: %w", ErrIgnorePolicy, err)
	}
	if p.Version != IgnorePolicyVersion {
		return IgnorePolicy{}, fmt.Errorf("%w: version %d is unknown, this build knows %d", ErrIgnorePolicy, p.Version, IgnorePolicyVersion)
	}
	canonical, err := NewIgnorePolicy(p.Headers)
	if err != nil {
		return IgnorePolicy{}, err
	}
	if !bytes.Equal(canonical.JSON(), text) {
		return IgnorePolicy{}, fmt.Errorf("%w: the text is not in canonical form, which is %s", ErrIgnorePolicy, canonical.JSON())
	}
	return canonical, nil
}

// JSON is the canonical text of the policy.
func (p IgnorePolicy) JSON() []byte {
	if p.Headers == nil {
		p.Headers = []string{}
	}
	text, err := json.Marshal(p)
	if err != nil {
		panic("marshal ignore policy: " + err.Error()) // an integer and strings always marshal
	}
	return text
}

// Policy is p as a Start entry records it.
func (p IgnorePolicy) Policy() *logv1.Policy {
	text := p.JSON()
	digest := sha256.Sum256(text)
	return &logv1.Policy{Version: p.Version, Text: text, Sha256: digest[:]}
}

// split takes the ignored fields out of list, which it reuses, and adds them to
// ignored with their index in list.
func (p IgnorePolicy) split(list []field, inTrailers bool, ignored []*logv1.IgnoredHeader) ([]field, []*logv1.IgnoredHeader) {
	kept := list[:0]
	for i, f := range list {
		if !p.ignores(f.name) {
			kept = append(kept, f)
			continue
		}
		ignored = append(ignored, &logv1.IgnoredHeader{Index: uint32(i), Name: f.name, Value: f.value, InTrailers: inTrailers})
	}
	return kept, ignored
}

func (p IgnorePolicy) ignores(name []byte) bool {
	return slices.ContainsFunc(p.Headers, func(h string) bool { return h == string(name) })
}

package output

import (
	"crypto/sha256"
	"errors"
	"slices"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// IgnorePolicy says what of a response is not output, because no replay can give it
// again: wall clock, ids, noise of the transport. The log keeps it beside the output.
// IgnoreRules.Compile and ParseIgnorePolicy make one; it is never changed, and safe
// for use by several goroutines. The zero value ignores nothing.
type IgnorePolicy struct {
	// Version is that of the text: 1 where headers alone are ignored, else 2.
	Version uint32
	// Headers are names in lower case, sorted, each once. They stand for trailers, too.
	Headers []string
	rules   IgnoreRules // in canonical form
	bodies  *bodyRules  // nil: no body is looked into
}

// The versions of policy texts.
const (
	headersVersion = 1
	bodiesVersion  = 2
)

// ErrIgnorePolicy says that rules make no policy, or that a text is not the canonical
// text of one.
var ErrIgnorePolicy = errors.New("not an ignore policy")

// DefaultIgnorePolicy ignores "date" and "x-request-id".
func DefaultIgnorePolicy() IgnorePolicy {
	headers := []string{"date", "x-request-id"}
	return IgnorePolicy{Version: headersVersion, Headers: headers, rules: IgnoreRules{Headers: headers}}
}

// NewIgnorePolicy is the policy that ignores headers alone, in any order and case.
func NewIgnorePolicy(headers []string) (IgnorePolicy, error) {
	return IgnoreRules{Headers: headers}.Compile()
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

// ignoringToo is p with one more header.
func (p IgnorePolicy) ignoringToo(name string) IgnorePolicy {
	if !slices.Contains(p.Headers, name) {
		p.Headers = append(slices.Clip(p.Headers), name)
	}
	return p
}

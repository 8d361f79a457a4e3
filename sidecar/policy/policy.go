// Package policy holds the capture policy: CEL expressions over a request, one
// that finds its meter ids, one that says which requests are no telemetry and are
// left out of the log, and one that says which are streams; and the content types
// of streams.
//
// It guarantees that a policy which New returned can be evaluated on any bytes:
// expressions are checked when they are compiled, their cost is limited, and what
// they yield is bounded. Evaluation depends on nothing but the request. It does
// not guarantee that the meter ids are right: that is the expression's matter.
package policy

import (
	"fmt"

	logv1 "verbatim/proto/verbatim/log/v1"
)

// Version is that of the policy's language: the variables, their meaning, the
// functions and the limits. It stands in every Start beside the policy.
const Version = 1

// Bounds on what the policy yields.
const (
	// MaxMeterIDs is how many different meter ids a request may have.
	MaxMeterIDs = 1024
	// MaxMeterIDBytes is how long a meter id may be, in bytes.
	MaxMeterIDBytes = 256
	// MaxReasonBytes is where the reason for leaving a request out is cut.
	MaxReasonBytes = 256
)

// Options are the expressions, in CEL (https://cel.dev) with its optional
// types and its extended strings library.
type Options struct {
	// Meters yields the meter ids of a request: a string, a number, a list of
	// these, or nothing (null, an empty string or list, an absent optional).
	// Empty: DefaultMeters.
	Meters string
	// Skip yields true or a reason for what is not to be recorded. Empty:
	// everything is recorded.
	Skip string
	// Stream yields true for a request of a stream. It sees the headers alone: the
	// body is empty. Empty: the content type alone says so.
	Stream string
	// Types are the content types of streams; a "*" at the end stands for any rest.
	Types []string
}

// Policy is a compiled capture policy, safe for use by many goroutines.
type Policy struct {
	meters *rule
	skip   *rule
	stream *rule
	types  []string
	text   []byte
}

// New compiles the expressions. Its error is one sentence that names the setting,
// as in "capture.meters", line and column, and what is wrong.
func New(o Options) (*Policy, error) {
	if o.Meters == "" {
		o.Meters = DefaultMeters
	}
	env, err := newEnv()
	if err != nil {
		return nil, fmt.Errorf("create CEL environment: %w", err)
	}
	p := &Policy{}
	if p.meters, err = compile(env, "capture.meters", o.Meters, yieldsMeters); err != nil {
		return nil, err
	}
	if o.Skip != "" {
		if p.skip, err = compile(env, "capture.skip", o.Skip, yieldsSkip); err != nil {
			return nil, err
		}
	}
	if o.Stream != "" {
		if p.stream, err = compile(env, "capture.stream", o.Stream, yieldsStream); err != nil {
			return nil, err
		}
	}
	if p.types, err = streamTypes(o.Types); err != nil {
		return nil, err
	}
	o.Types = p.types
	if p.text, err = canonical(o); err != nil {
		return nil, err
	}
	return p, nil
}

// Meters returns the request's meter ids, each once, in ascending byte order, and
// none if the request has none. With an error there is none either: the request
// is recorded without a meter, so that it excludes all others, and the error's
// text says why.
func (p *Policy) Meters(r Request) ([]string, error) {
	val, err := p.meters.eval(&variables{request: r})
	if err != nil {
		return nil, err
	}
	ids, err := meterIDs(val)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.meters.setting, err)
	}
	return ids, nil
}

// Skip reports whether the request is left out of the log, and the reason to
// count it under: "skip" unless the expression names one, valid UTF-8 and at most
// MaxReasonBytes long. A request on which the expression fails is not left out.
func (p *Policy) Skip(r Request) (reason string, skipped bool) {
	if p.skip == nil {
		return "", false
	}
	val, err := p.skip.eval(&variables{request: r})
	if err != nil {
		return "", false
	}
	return skipReason(val)
}

// Text returns the policy as a Start records it. The caller may keep it.
func (p *Policy) Text() *logv1.Policy { return record(p.text) }

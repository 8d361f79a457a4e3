package replay

import (
	"errors"
	"fmt"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/sidecar/output"
)

// changes are what differs between a recorded answer and a replayed one.
func (r *run) changes(x *exchange, got answer) changes {
	recorded, err := r.recordedOutput(x)
	if err != nil {
		return unreadable(fmt.Errorf("the recorded output can't be read: %w", err))
	}
	c := between(answer{hash: x.hash, output: recorded}, got)
	if got.failure != 0 {
		return c
	}
	return c.append(r.compareFirst(x))
}

// recordedOutput is the recorded output as it was compared.
func (r *run) recordedOutput(x *exchange) ([]byte, error) {
	request, err := r.load(x)
	if err != nil {
		return nil, err
	}
	return r.recordedUnder(x, request)
}

// between is what differs between two answers, of which one may have failed. It is
// never empty: what can't be shown is said.
func between(a, b answer) changes {
	if a.failure != 0 || b.failure != 0 {
		c := changes{{kind: max(a.failure, b.failure), lines: []string{"- " + a.summary(), "+ " + b.summary()}}}
		if a.failure != 0 && b.failure != 0 {
			c = append(c, change{kind: min(a.failure, b.failure)})
		}
		return c
	}
	if a.output == nil || b.output == nil {
		return changes{{kind: auditv1.DivergenceKind_DIVERGENCE_KIND_BODY, lines: []string{
			"- " + a.summary(), "+ " + b.summary(), fmt.Sprintf("  what differs is not known: only the first %d octets of answers that differ were kept", maxKept)}}}
	}
	before, err := output.Decode(a.output)
	if err != nil {
		return unreadable(fmt.Errorf("the first output can't be read: %w", err))
	}
	after, err := output.Decode(b.output)
	if err != nil {
		return unreadable(fmt.Errorf("the second output can't be read: %w", err))
	}
	c := compareOutputs(before, after)
	if len(c) == 0 {
		return unreadable(errors.New("the outputs differ, and their fields do not"))
	}
	return c
}

func unreadable(err error) changes {
	return changes{{kind: auditv1.DivergenceKind_DIVERGENCE_KIND_UNDECODABLE, lines: []string{err.Error()}}}
}

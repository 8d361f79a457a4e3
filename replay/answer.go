package replay

import (
	"errors"
	"fmt"

	auditv1 "verbatim/proto/verbatim/audit/v1"
	"verbatim/replay/target"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// answer is what one compared request got.
type answer struct {
	hash    chain.Hash             // zero: there is no answer
	output  []byte                 // canonical; nil: there is no answer, or it is not kept
	failure auditv1.DivergenceKind // 0: there is an answer
	cause   error                  // why there is none
}

// same says whether two requests got the same. That there was no answer is the same
// if it failed in the same way.
func (a answer) same(b answer) bool { return a.hash == b.hash && a.failure == b.failure }

// summary is one line for an answer that is set against none.
func (a answer) summary() string {
	if a.failure != 0 {
		return fmt.Sprintf("no answer: %v", a.cause)
	}
	if status := auditlog.OutputStatus(a.output); status != 0 {
		return fmt.Sprintf("status %d", status)
	}
	return fmt.Sprintf("an answer with the output hash %s", a.hash)
}

// maxKept is how many octets of different outputs a replay keeps for the next one.
const maxKept = 64 << 20

// keep is the answer as the next replay needs it.
func (r *run) keep(a answer) answer {
	if r.options.Second == nil || r.kept+len(a.output) > maxKept {
		a.output = nil
		return a
	}
	r.kept += len(a.output)
	return a
}

// failures say which code a failed request has; the first that fits counts.
var failures = []struct {
	cause error
	code  auditv1.DivergenceKind
}{
	{target.ErrOrder, auditv1.DivergenceKind_DIVERGENCE_KIND_ORDER_OF_PARTS}, // it is a timeout, too
	{target.ErrUnreachable, auditv1.DivergenceKind_DIVERGENCE_KIND_UNREACHABLE},
	{target.ErrTimeout, auditv1.DivergenceKind_DIVERGENCE_KIND_TIMEOUT},
	{target.ErrReset, auditv1.DivergenceKind_DIVERGENCE_KIND_MISSING},
}

// failureCode is undecodable for an answer that came whole and is none.
func failureCode(cause error) auditv1.DivergenceKind {
	for _, f := range failures {
		if errors.Is(cause, f.cause) {
			return f.code
		}
	}
	return auditv1.DivergenceKind_DIVERGENCE_KIND_UNDECODABLE
}

// octets are the hash; nil if there is no answer.
func (a answer) octets() []byte {
	if a.failure != 0 {
		return nil
	}
	return a.hash[:]
}

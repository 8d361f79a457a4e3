package evidence

import (
	"fmt"

	"verbatim/sidecar/verify"
)

// State says what a step is worth.
type State int

// The states.
const (
	// Proven: it was computed here.
	Proven State = iota
	// Stated: it fits, and somebody's word is needed for it.
	Stated
	// Missing: the file has nothing of it.
	Missing
	// Wrong: something contradicts something else.
	Wrong
)

var stateNames = map[State]string{Proven: "proven", Stated: "stated", Missing: "missing", Wrong: "WRONG"}

func (s State) String() string { return stateNames[s] }

// MarshalText is String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Step is one step from the exchange to whoever vouches for it, in words.
type Step struct {
	State State  `json:"state"`
	Text  string `json:"text"`
}

// Rung is how far the steps lead (docs/LOG-FORMAT.md, "A reader's rules").
type Rung int

// The rungs, from the lowest.
const (
	// Nothing holds.
	Nothing Rung = iota
	// Sealed: a checkpoint covers the exchange.
	Sealed
	// Claimed: an anchor receipt of that checkpoint fits.
	Claimed
	// Anchored: the public ledger was asked and agrees.
	Anchored
)

var rungNames = map[Rung]string{Nothing: "NOTHING", Sealed: "SEALED", Claimed: "CLAIMED", Anchored: "ANCHORED"}

func (r Rung) String() string { return rungNames[r] }

// MarshalText is String.
func (r Rung) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// The codes of findings.
const (
	CodeEntry      verify.Code = "entry"             // an entry is not in the checkpoint's tree
	CodeExchange   verify.Code = "exchange"          // the entries are not one exchange, or not all of it
	CodeCheckpoint verify.Code = "checkpoint"        // the checkpoint contradicts itself
	CodeNote       verify.Code = "note"              // the signed note does not fit
	CodeKey        verify.Code = "signature-key"     // no key of the reader's keyring signed it
	CodeReceipt    verify.Code = "receipt"           // the anchor receipt does not fit
	CodeContract   verify.Code = "contract"          // the contract is not the expected one
	CodeDivergence verify.Code = "divergence"        // what is said to differ does not
	codeRetired    verify.Code = "signature-retired" // only a key signed it that was retired
)

// Report is what a check of a file found.
type Report struct {
	Steps    []Step
	findings []verify.Finding

	sealed, claimed, anchored bool
}

// Findings are the contradictions, and what the reader asked for and is not there.
func (r *Report) Findings() []verify.Finding { return r.findings }

// Rung is Nothing where there are findings.
func (r *Report) Rung() Rung {
	switch {
	case len(r.findings) > 0 || !r.sealed:
		return Nothing
	case r.anchored:
		return Anchored
	case r.claimed:
		return Claimed
	}
	return Sealed
}

func (r *Report) add(s State, format string, args ...any) {
	r.Steps = append(r.Steps, Step{s, fmt.Sprintf(format, args...)})
}

func (r *Report) wrong(offset uint64, code verify.Code, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.Steps = append(r.Steps, Step{Wrong, text})
	r.findings = append(r.findings, verify.Finding{Offset: offset, Code: code, Text: text})
}

package forger

import (
	"encoding/json"
	"fmt"
	"testing"

	"verbatim/sidecar/checkpoint"
	"verbatim/sidecar/verify"
)

// rung is what a verdict can rest on.
type rung int

const (
	chained  rung = iota // verify: the links, and what each entry says
	sealed               // verify: the footers
	stored               // verify: what readers find entries by
	pruned               // verify: what stays of a part that was pruned
	noted                // verify: the notes, by the keys that the log names
	keyed                // verify --keys
	rooted               // verify --trusted-root
	kept                 // verify --checkpoint
	claimed              // verify --receipts
	anchored             // verify --anchors --contract
	rungs
)

var headings = [rungs]string{
	"CHAINED", "SEALED", "stored", "pruned", "notes", "`--keys`", "`--trusted-root`", "`--checkpoint`", "CLAIMED", "ANCHORED",
}

// ofLedger says that a rung needs one.
func (r rung) ofLedger() bool { return r == claimed || r == anchored }

// rungOf is the rung to which a finding of the log itself belongs.
var rungOf = map[verify.Code]rung{
	verify.CodeUnreadable: chained, verify.CodeMissing: chained, verify.CodeEventHash: chained, verify.CodeLink: chained,
	verify.CodeTip: chained, verify.CodeUndecodable: chained, verify.CodeGenesis: chained, verify.CodeClock: chained,
	verify.CodeOutcome: chained, verify.CodePolicy: chained,
	verify.CodeCheckpoint: sealed, verify.CodeUnsealed: sealed,
	verify.CodeStoredFooter: stored, verify.CodeIndex: stored, verify.CodeTree: stored, verify.CodeRecords: stored,
	verify.CodeTwice: stored,
	verify.CodeCut:   pruned, verify.CodePrune: pruned, verify.CodeKept: pruned, verify.CodeTrustedRoot: rooted,
}

// verdict is what each rung finds first, "code offset", and why.
type verdict struct {
	found [rungs]string
	text  [rungs]string
}

// report is what verify --json prints, as far as it is looked at.
type report struct {
	refused        string // why there is none, instead
	Findings       []verify.Finding
	Signed, Public struct{ Findings []verify.Finding }
}

// judge verifies a log in every way.
func (s *site) judge(t *testing.T, dir string, of *honest) *verdict {
	t.Helper()
	v := &verdict{}
	r := s.verify(t, dir)
	for _, f := range r.Findings {
		at, known := rungOf[f.Code]
		if !known {
			t.Errorf("of which rung is %s?", f)
		}
		v.take(at, f)
	}
	v.take(noted, r.Signed.Findings...)
	v.take(keyed, s.verify(t, dir, "--keys", of.keys).Signed.Findings...)
	for _, f := range s.verify(t, dir, "--trusted-root", of.root).Findings {
		if f.Code == verify.CodeTrustedRoot {
			v.take(rooted, f)
		}
	}
	for _, f := range s.verify(t, dir, "--checkpoint", of.note).Signed.Findings {
		if f.Code == checkpoint.CodeKept {
			v.take(kept, f)
		}
	}
	if s.ledger != nil {
		v.public(claimed, s.verify(t, dir, "--receipts"))
		v.public(anchored, s.verify(t, dir, "--anchors", "--rpc", s.ledger.node.URL(), "--contract", s.ledger.contract))
	}
	return v
}

// public takes what is said of receipts or the ledger.
func (v *verdict) public(at rung, r *report) {
	if r.refused != "" {
		v.found[at], v.text[at] = "refused", r.refused
		return
	}
	v.take(at, r.Public.Findings...)
}

// take notes the first finding of a rung.
func (v *verdict) take(r rung, list ...verify.Finding) {
	if len(list) > 0 && v.found[r] == "" {
		v.found[r], v.text[r] = fmt.Sprintf("%s %d", list[0].Code, list[0].Offset), list[0].Text
	}
}

// verify runs the program. Its exit code has to fit what it found.
func (s *site) verify(t *testing.T, dir string, flags ...string) *report {
	t.Helper()
	out, code, said := s.run(t, append([]string{"verify", "--json", "--log", dir}, flags...)...)
	r := &report{}
	if code == 2 && len(out) == 0 {
		r.refused = said
		return r
	}
	if err := json.Unmarshal(out, r); err != nil {
		t.Fatalf("verify %v: exit code %d, %s: %v", flags, code, said, err)
	}
	want := 0
	if len(r.Findings)+len(r.Signed.Findings)+len(r.Public.Findings) > 0 {
		want = 1
	}
	if code != want {
		t.Errorf("verify %v: exit code %d, want %d: %s", flags, code, want, out)
	}
	return r
}

package auditlog

import (
	"strings"
	"testing"
	"time"

	"verbatim/sidecar/chain"
)

func TestAPrunePolicyIsReadAsItWasWritten(t *testing.T) {
	p := PrunePolicy{Keep: 90 * 24 * time.Hour, Clock: PruneByLedger, Cut: PruneAnchored, Kept: 17, KeptHash: chain.EventHash([]byte("x"))}
	text := p.String()
	if want := "keep=2160h0m0s clock=ledger cut=anchored kept=17:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"; text != want {
		t.Errorf("policy %q, want %q", text, want)
	}
	if got, err := ParsePrunePolicy(text); err != nil || got != p {
		t.Errorf("%+v, %v", got, err)
	}
	for _, other := range []string{
		"", "keep everything", text + " ", " " + text, text[1:], text[:len(text)-1],
		strings.Replace(text, "2160h0m0s", "90d", 1), strings.Replace(text, "2160h0m0s", "2160h", 1),
		strings.Replace(text, "ledger", "wall", 1), strings.Replace(text, "anchored", "hoped", 1),
		strings.Replace(text, "17:", "017:", 1), strings.ToUpper(text),
	} {
		if got, err := ParsePrunePolicy(other); err == nil {
			t.Errorf("%q is read as %+v", other, got)
		}
	}
}

func FuzzParsePrunePolicy(f *testing.F) {
	f.Add(PrunePolicy{Clock: PruneByCount, Cut: PruneSealed}.String())
	f.Add("keep=1s clock=ledger cut=sealed kept=0:")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := ParsePrunePolicy(text); err == nil && p.String() != text {
			t.Errorf("%q is read, and written as %q", text, p)
		}
	})
}
